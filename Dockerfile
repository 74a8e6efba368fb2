# A photograph in, a pose out, with nothing installed but Docker:
#
#     docker build --tag integral_tf .
#     docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/here" \
#         integral_tf predict --images=photo.jpg --out=out
#
# /here is the folder that the command works in. Any command of
# `integral-tf --help` may stand in the place of predict.
FROM python:3.11-slim AS build
COPY . /source
RUN pip wheel --no-cache-dir --no-deps --wheel-dir=/wheels /source

FROM python:3.11-slim
COPY --from=build /wheels /wheels
COPY requirements.txt /wheels/
# What is pinned, of what the package needs; then the package.
RUN pip install --no-cache-dir --constraint=/wheels/requirements.txt \
        /wheels/*.whl onnxruntime \
    && rm -r /wheels
# Any user may run it: what is cached goes where everybody may write.
ENV HOME=/tmp
WORKDIR /here
ENTRYPOINT ["integral-tf"]
CMD ["--help"]
