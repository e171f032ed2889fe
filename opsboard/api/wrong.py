"""What pydantic found in a body or an address, said in our form and in plain sentences."""

from collections.abc import Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from opsboard.api.problems import Error, error, pointer_to
from opsboard.expectations.nearest import did_you_mean

# By pydantic's name of the mistake; what stands in braces is in its context.
SENTENCES: dict[str, str] = {
    "missing": "This field is missing.",
    "string_type": "Write a text, in quotes.",
    "string_too_short": "Write at least {min_length} characters.",
    "string_too_long": "Write at most {max_length} characters.",
    "string_pattern_mismatch": "This is not of the form {pattern}.",
    "int_type": "Write a whole number.",
    "int_parsing": "Write a whole number.",
    "int_parsing_size": "This number is too large.",
    "int_from_float": "Write a whole number.",
    "float_type": "Write a number.",
    "float_parsing": "Write a number.",
    "finite_number": "Write a number that is finite.",
    "bool_type": "Write true or false.",
    "bool_parsing": "Write true or false.",
    "list_type": "Write a list: [ … ].",
    "dict_type": "Write an object: {{ … }}.",
    "model_type": "Write an object: {{ … }}.",
    "model_attributes_type": "Write an object: {{ … }}.",
    "none_required": "Leave this out, or write null.",
    "literal_error": "Write one of {expected}.",
    "enum": "Write one of {expected}.",
    "greater_than": "Write more than {gt}.",
    "greater_than_equal": "Write {ge} or more.",
    "less_than": "Write less than {lt}.",
    "less_than_equal": "Write {le} or less.",
    "too_long": "Write at most {max_length} items.",
    "too_short": "Write at least {min_length} items.",
    "datetime_type": "Write a time as 2026-11-28T12:00:00Z.",
    "datetime_parsing": "Write a time as 2026-11-28T12:00:00Z.",
    "datetime_from_date_parsing": "Write a time as 2026-11-28T12:00:00Z.",
    "datetime_object_invalid": "Write a time as 2026-11-28T12:00:00Z.",
    "timezone_aware": "The time has no zone: write it as 2026-11-28T12:00:00Z.",
    "date_parsing": "Write a day as 2026-11-28.",
    "date_from_datetime_parsing": "Write a day as 2026-11-28.",
    "uuid_parsing": "Write a UUID, as 3f2b8c1e-6d0f-4a55-9c7a-0b6f1d2e4a90.",
}


CODES: dict[str, str] = {
    "extra_forbidden": "unknown_field",
    "string_too_short": "too_short",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "wrong_form",
    "literal_error": "not_one_of",
    "enum": "not_one_of",
    "greater_than": "out_of_bounds",
    "greater_than_equal": "out_of_bounds",
    "less_than": "out_of_bounds",
    "less_than_equal": "out_of_bounds",
    "int_from_float": "wrong_type",
    "finite_number": "wrong_type",
    "none_required": "wrong_type",
    "value_error": "wrong_value",
    "assertion_error": "wrong_value",
    "timezone_aware": "no_zone",
    "datetime_object_invalid": "wrong_type",
}
OF_TYPE = ("_type", "_parsing", "_parsing_size")


def said(found: Mapping[str, Any], model: Any) -> Error:
    """One mistake. `model` is what ninja made of the parameters of a view from one source."""
    place = model.__ninja_flatten_map_reverse__.get(found["loc"], found["loc"])
    message = _message(found, model)
    code = _code(str(found["type"]))
    if model.__ninja_param_source__ == "body":
        # The first part is the name of the view's parameter.
        return error(code, message, pointer=pointer_to(place[1:]))
    return error(code, message, field=str(place[-1]))


def _code(kind: str) -> str:
    """Our own word, which stays the same when pydantic's changes."""
    return "wrong_type" if kind.endswith(OF_TYPE) else CODES.get(kind, kind)


def _message(found: Mapping[str, Any], model: Any) -> str:
    place: Sequence[Any] = found["loc"]
    kind, context = str(found["type"]), found.get("ctx") or {}
    if kind == "missing" and model.__ninja_param_source__ == "body" and len(place) == 1:
        return "Send a body: this operation needs one."
    if kind == "extra_forbidden":
        return _unknown(str(place[-1]), _fields_at(model, place[:-1]))
    if kind in ("value_error", "assertion_error") and "error" in context:
        return _sentence(str(context["error"]))
    if kind in SENTENCES:
        return SENTENCES[kind].format_map(context)
    return _sentence(str(found["msg"]))


def _unknown(name: str, known: tuple[str, ...]) -> str:
    if not known:
        return "There is no field of this name."
    return f"There is no field of this name: {did_you_mean(name, known, {})}"


def _sentence(text: str) -> str:
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _fields_at(model: type[BaseModel], place: Sequence[Any]) -> tuple[str, ...]:
    """The fields that the object at `place` may have; (): that is not known for sure."""
    here: list[type[BaseModel]] = [model]
    for part in place:
        if isinstance(part, int):
            continue
        fields = [one.model_fields[part] for one in here if part in one.model_fields]
        here = [found for field in fields for found in _models_in(field.annotation)]
    names = [field.alias or name for one in here for name, field in one.model_fields.items()]
    return tuple(dict.fromkeys(names))


def _models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (list, tuple, dict, Union, UnionType, Annotated):
        return [found for one in get_args(annotation) for found in _models_in(one)]
    return []
