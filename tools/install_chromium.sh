#!/bin/sh
# The browser for the end-to-end tests: the system's, else one from apt, else Playwright's own.
set -u
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done
# Ubuntu's chromium package is a snap, which does not run in containers.
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 && ! grep -qi '^ID=ubuntu' /etc/os-release; then
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q && apt-get install -q -y --no-install-recommends chromium fonts-noto-cjk && exit 0
fi
[ "$(id -u)" = 0 ] && with_deps=--with-deps || with_deps=
# shellcheck disable=SC2086
.venv/bin/python -m playwright install $with_deps chromium && exit 0
echo "The tests in tests/e2e need a Chromium, and none could be installed. Install the package chromium of your"
echo "system, or set PILOTHOUSE_CHROMIUM to one. All other tests run without: make test TESTS='tests/unit tests/integration'"
exit 1
