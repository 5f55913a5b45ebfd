# Two stages: the first installs, the second holds only what runs.
FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/geofence
COPY requirements.lock requirements-install.lock ./
RUN python -m pip install --no-cache-dir --quiet --require-hashes -r requirements-install.lock \
 && /opt/geofence/bin/python -m pip install --no-cache-dir --quiet --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY regions regions
COPY geofence geofence
COPY api api
RUN python -m hatchling build --target wheel --directory /tmp/wheel \
 && /opt/geofence/bin/python -m pip install --no-cache-dir --quiet --no-deps --no-index /tmp/wheel/*.whl

FROM python:3.13-slim
ENV PATH=/opt/geofence/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    GEOFENCE_HOST=0.0.0.0 \
    GEOFENCE_PORT=8000 \
    GEOFENCE_DATABASE_URL=sqlite:////data/geofence.sqlite
RUN useradd --system --uid 10001 --home-dir /data --shell /usr/sbin/nologin geofence \
 && install -d -o geofence -g geofence /data
COPY --from=build /opt/geofence /opt/geofence
WORKDIR /data
VOLUME /data
EXPOSE 8000
# by number, so that a cluster can see that it is not root
USER 10001:10001
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 CMD ["geofence", "health"]
STOPSIGNAL SIGTERM
# everything but /data may be read-only: docker run --read-only --tmpfs /tmp -v geofence:/data -p 8000:8000 geofence
ENTRYPOINT ["geofence"]
CMD ["serve"]
