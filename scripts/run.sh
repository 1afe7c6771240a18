#!/bin/sh
# run.sh FILE.ts [ARGUMENTS]: installs what is missing, then becomes Node running FILE with the arguments.
root=$(CDPATH= cd -- "$(dirname -- "$0")/.." && pwd -P) || exit 1
. "$root/scripts/node.sh"

# A copy of the lock file says what was installed; it is written last, so that a broken-off start begins anew.
installed=$root/node_modules/.installed-lock.json

up_to_date() { cmp -s "$root/package-lock.json" "$installed"; }

# One install at a time. The lock names its process, so that one that was killed doesn't bar the way for ever.
lock() {
  lock_dir=$root/.node/install.lock
  mkdir -p "$root/.node"
  waiting=
  until mkdir "$lock_dir" 2>/dev/null; do
    holder=$(cat "$lock_dir/pid" 2>/dev/null)
    if [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; then
      rm -rf "$lock_dir"
      continue
    fi
    [ -n "$waiting" ] || say 'Waiting for another start to finish its installation…'
    waiting=yes
    sleep 1
  done
  echo $$ >"$lock_dir/pid"
  trap 'rm -rf "$lock_dir"' EXIT
  trap 'exit 130' INT TERM HUP
}

unlock() {
  rm -rf "$lock_dir"
  trap - EXIT INT TERM HUP
}

npm_here() {
  (cd "$root" && exec npm "$@" --ignore-scripts --no-audit --no-fund --include=dev --include=optional --global=false --dry-run=false)
}

install_packages() {
  if [ -d "$root/node_modules" ]; then
    with_progress 'Updating packages' npm_here install --no-save
  else
    with_progress 'Installing packages' npm_here ci ||
      with_progress 'Installing packages without the lock file' npm_here install --no-save
  fi
}

find_node "$root/.node"
PATH=$(dirname -- "$NODE"):$PATH
export PATH

if ! up_to_date; then
  lock
  if ! up_to_date; then
    install_packages || {
      say 'tidegate: the packages could not be installed; the lines above say why.'
      exit 1
    }
    cp "$root/package-lock.json" "$installed"
  fi
  unlock
fi

file=$1
shift
NODE_COMPILE_CACHE=${NODE_COMPILE_CACHE:-$root/.cache/compile}
export NODE_COMPILE_CACHE
cd "$root" || exit 1
exec "$NODE" --disable-warning=ExperimentalWarning "$file" "$@"
