"""The `opsboard` command for CI and terminals. It speaks to the API only, and knows no Django."""
