# Sourced by ./run, ./test and ./spillway: checks what must be there, and builds what changed.
# Needs only the .NET SDK, Node.js with npm (for the native libraries) and git.
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export npm_config_update_notifier=false npm_config_fund=false
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
app="$root/artifacts/bin/Spillway.App/release/Spillway.App.dll"

missing() { printf '%s\n' "$1" >&2; exit 1; }
command -v dotnet >/dev/null 2>&1 || missing "The .NET SDK 10 is missing. Install it (package dotnet-sdk-10.0), then run this again."
dotnet --version >/dev/null 2>&1 ||
  missing "The .NET SDK here does not fit global.json, which asks for 10.0.100 or a newer 10.x: $(dotnet --list-sdks | tr '\n' ' ')"
command -v npm >/dev/null 2>&1 || missing "Node.js with npm is missing; it brings the native ONNX Runtime library. \
Install Node.js 20 or newer, or set SPILLWAY_ORT_LIB to a libonnxruntime 1.20 or newer and run 'dotnet build' yourself."

# build PROJECT: quiet when nothing changed, loud when it fails. A stamp newer than every source skips the work.
build() {
  local project="$1" stamp="$root/artifacts/.built-$(basename "$1")" log="$root/artifacts/build.log"
  if [ -f "$stamp" ] && [ -f "$app" ] && [ -z "$(find "$root/src" "$root/tests" "$root/native/package.json" \
      "$root/native/package-lock.json" "$root"/*.props "$root/global.json" \
      -newer "$stamp" -type f -not -path '*/node_modules/*' -print -quit 2>/dev/null)" ]; then
    return 0
  fi
  mkdir -p "$root/artifacts"
  printf 'Building %s (the first time takes a minute) …\n' "$(basename "$project")" >&2
  if ! dotnet build "$root/$project" -c Release -v quiet -clp:NoSummary >"$log" 2>&1; then
    cat "$log" >&2
    missing "The build failed."
  fi
  touch "$stamp"
}
