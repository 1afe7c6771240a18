#!/bin/sh
# leash.sh SIGNAL FOLDER COMMAND...: runs COMMAND for as long as standard input is open, so that it ends with whoever
# started it, even one that was killed. SIGNAL ends it. FOLDER, if one is named, is removed with it, unless the command
# came to its own good end.
signal=$1
folder=$2
shift 2
exec 3<&0
"$@" </dev/null 3<&- &
command=$!
asked=
trap 'asked=yes; kill -s "$signal" "$command" 2>/dev/null' TERM INT HUP
(
  while read -r _ <&3; do :; done
  kill -s TERM "$$"
) &
watcher=$!
wait "$command"
status=$?
# A signal to us ends `wait` early.
while kill -0 "$command" 2>/dev/null; do
  wait "$command"
  status=$?
done
kill "$watcher" 2>/dev/null
if [ -n "$folder" ] && [ "$asked$status" != 0 ]; then
  # What the command started may write for a moment longer.
  rm -rf "$folder" 2>/dev/null || { sleep 1; rm -rf "$folder"; }
fi
exit "$status"
