# For check.sh and proof.sh: Python tools, each in an environment of its own under $tools.
python_tool() { # name of the environment, what to install
  local environment="$tools/$1"
  shift
  if [ "$(cat "$environment/installed" 2>/dev/null)" != "$*" ]; then
    rm -rf "$environment"
    python3 -m venv "$environment" && "$environment/bin/pip" install --quiet --disable-pip-version-check "$@" || return
    echo "$*" >"$environment/installed"
  fi
}
