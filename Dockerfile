# One image for web, worker, beat and migrate. Its steps are the scripts that make uses.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    PATH=/opt/venv/bin:$PATH \
    VAR_DIR=/var/lib/portal \
    STATIC_ROOT=/opt/portal/staticfiles \
    WEB_HOST=0.0.0.0

RUN useradd --system --uid 10001 --home-dir /var/lib/portal --create-home portal

WORKDIR /opt/portal
COPY requirements.txt ./
COPY scripts/__init__.py scripts/runtime.py scripts/setup_env.py scripts/
RUN python -m scripts.setup_env --runtime --venv /opt/venv

COPY . .
# Collected in demo mode: static files need no secret, and none may end in a layer.
RUN PORTAL_MODE=demo VAR_DIR=/tmp/build python -m scripts.entry static && rm -rf /tmp/build

USER portal
ENV PORTAL_MODE=production
VOLUME /var/lib/portal
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=10s --start-period=30s --retries=4 CMD ["python", "-m", "scripts.healthcheck", "web"]
CMD ["python", "-m", "scripts.entry", "web"]
