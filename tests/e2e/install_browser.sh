#!/bin/sh
# Make sure a Chromium is there for the browser tests; never fails, since the tests skip themselves without one.
for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && command -v "$name" >/dev/null 2>&1; then
        echo "browser tests use $(command -v "$name")"
        exit 0
    fi
done
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    echo "installing Debian's chromium"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null && exit 0
fi
echo "installing Playwright's chromium"
"$1" install chromium || echo "no Chromium to be had: the browser tests will be skipped"
exit 0
