# Sourced by ./run, ./test and ./spillway: checks what must be there, and builds what changed.
# Needs only the .NET SDK, Node.js with npm (for the native libraries) and git.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export npm_config_update_notifier=false npm_config_fund=false
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
app="$root/artifacts/app/Spillway.App.dll"

missing() { printf '%s\n' "$1" >&2; exit 1; }
command -v dotnet >/dev/null 2>&1 || missing "The .NET SDK 10 is missing. Install it (package dotnet-sdk-10.0), then run this again."
dotnet --version >/dev/null 2>&1 ||
  missing "The .NET SDK here does not fit global.json, which asks for 10.0.100 or a newer 10.x: $(dotnet --list-sdks | tr '\n' ' ')"
command -v npm >/dev/null 2>&1 || missing "Node.js with npm is missing; it brings the native ONNX Runtime library. \
Install Node.js 20 or newer, or set SPILLWAY_ORT_LIB to a libonnxruntime 1.20 or newer and run 'dotnet build' yourself."

# Whether nothing that goes into a build is newer than its stamp.
is_current() {
  [ -f "$1" ] && [ -z "$(find "$root/src" "$root/tests" "$root/bench/Spillway.Bench" "$root/scripts" "$root/native/package.json" \
    "$root/native/package-lock.json" "$root"/*.props "$root/global.json" -newer "$1" -type f \
    -not -path '*/node_modules/*' -print -quit 2>/dev/null)" ]
}

# build PROJECT: quiet when nothing changed, loud when it fails.
build() {
  local stamp log="$root/artifacts/build.log"
  stamp="$root/artifacts/.built-$(basename "$1")"
  if is_current "$stamp"; then return 0; fi
  mkdir -p "$root/artifacts"
  printf 'Building %s (the first time takes a minute) …\n' "$(basename "$1")" >&2
  if ! dotnet build "$root/$1" -c Release -v quiet -clp:NoSummary >"$log" 2>&1; then
    cat "$log" >&2
    missing "The build failed."
  fi
  touch "$stamp"
}

# build_app: the executable in artifacts/app, compiled ahead for this platform where the compiler for that can be had.
build_app() {
  local stamp="$root/artifacts/.built-app" log="$root/artifacts/build.log" rid
  if is_current "$stamp" && [ -f "$app" ]; then return 0; fi
  mkdir -p "$root/artifacts"
  printf 'Building Spillway (the first time takes a minute) …\n' >&2
  rid="$(dotnet --info | sed -n 's/^ *RID: *//p')"
  if ! dotnet publish "$root/src/Spillway.App" -c Release -r "$rid" --self-contained false -v quiet -o "$root/artifacts/app" >"$log" 2>&1 \
    && ! dotnet publish "$root/src/Spillway.App" -c Release -v quiet -o "$root/artifacts/app" >"$log" 2>&1; then
    cat "$log" >&2
    missing "The build failed."
  fi
  touch "$stamp"
}
