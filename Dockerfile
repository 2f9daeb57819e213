# The server in a container: ./Dockerfile is built from the root of a checkout.
#   docker build -t spillway .
# docs/features/container.md says how to run it. tests/Spillway.Tests/Packaging holds this file to its rules and runs what
# the last stage runs.

# The native libraries, as native/package-lock.json says.
FROM node:22-bookworm-slim AS native
WORKDIR /source/native
COPY native/package.json native/package-lock.json native/.npmrc ./
RUN npm ci --no-audit --no-fund --loglevel=error

FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig BannedSymbols.txt CodeMetricsConfig.txt ./
COPY src/ src/
COPY native/package.json native/package-lock.json native/
COPY --from=native /source/native/node_modules/ native/node_modules/
RUN dotnet publish src/Spillway.App -c Release --self-contained false -o /app

# No shell, no package manager, no curl; its user is 1654.
FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble-chiseled AS run
WORKDIR /app
COPY --from=build /app/ ./
# What is served until somebody mounts a configuration over it.
COPY samples/simulated/ /etc/spillway/
ENV SPILLWAY__SERVER__PORT=8000 \
    DOTNET_EnableDiagnostics=0
EXPOSE 8000 8001
USER 1654:1654
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=120s --retries=3 \
    CMD ["dotnet", "/app/Spillway.App.dll", "health"]
ENTRYPOINT ["dotnet", "/app/Spillway.App.dll"]
CMD ["up", "/etc/spillway"]
