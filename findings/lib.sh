# Sourced by every script here: creates a temporary folder and installs the pinned packages in it.
# Exit codes: 0: still as described; 1: no longer as described; 2: the packages cannot be installed.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
export PYTHONPATH=$here PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore TZ=UTC

# install NAME==VERSION ...: installs Python packages into a virtual environment in the temporary folder.
install() {
    python3 -m venv "$work/venv" && "$work/venv/bin/pip" install --quiet --disable-pip-version-check "$@" || {
        echo "cannot install: $*" >&2
        exit 2
    }
    export PATH=$work/venv/bin:$PATH HOME=$work
}
