# One image for web, worker, beat and prepare: docker-compose.yml says which runs what.
FROM python:3.13-slim

ENV PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 DJANGO_SETTINGS_MODULE=opsboard.settings
WORKDIR /srv/opsboard

COPY requirements/run.txt requirements/run.txt
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt

COPY manage.py pyproject.toml ./
COPY templates templates
COPY opsboard opsboard
# Nothing can be written there later: without this every process, each look of `alive` too, would
# compile five hundred modules anew.
RUN python -m compileall -q opsboard

# Production settings want every value before they load. These exist for this one command only:
# they are made while it runs, connect to nothing, and stay in no layer.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    OPSBOARD_FIELD_KEYS="$(python -c 'from cryptography.fernet import Fernet as F; print(F.generate_key().decode())')" \
    ALLOWED_HOSTS=opsboard.invalid OPSBOARD_URL=https://opsboard.invalid OPSBOARD_EGRESS_ALLOW= \
    DATABASE_URL=postgres://postgres.invalid/opsboard REDIS_URL=redis://redis.invalid/0 \
    python manage.py collectstatic --noinput --verbosity 0

RUN useradd --system --uid 10001 --no-create-home opsboard
USER opsboard
EXPOSE 8000
CMD ["gunicorn", "opsboard.wsgi", "--bind", "0.0.0.0:8000"]
