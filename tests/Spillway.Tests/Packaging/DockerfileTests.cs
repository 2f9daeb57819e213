using System.Text.Json;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Packaging;

public sealed class DockerfileTests
{
    private static string Text => File.ReadAllText(Repository.At("Dockerfile"));

    [Fact]
    public void The_Dockerfile_keeps_the_rules() => Assert.Empty(DockerfileLint.Check(Text, IsInContext));

    /// <summary>A rule that never fires is none.</summary>
    [Theory]
    [InlineData("FROM mcr.microsoft.com/dotnet/sdk:10.0-noble", "FROM mcr.microsoft.com/dotnet/sdk:latest", "no tag")]
    [InlineData("FROM mcr.microsoft.com/dotnet/sdk:10.0-noble", "FROM mcr.microsoft.com/dotnet/sdk", "no tag")]
    [InlineData("USER 1654:1654", "USER app", "no USER")]
    [InlineData("USER 1654:1654", "USER 0", "no USER")]
    [InlineData("USER 1654:1654", "", "no USER")]
    [InlineData("COPY src/ src/", "COPY . .", "everything")]
    [InlineData("COPY src/ src/", "COPY tests/ tests/", "not in the build's context")]
    [InlineData("COPY src/ src/", "ADD src/ src/", "use COPY")]
    [InlineData("--from=native", "--from=nature", "no such stage")]
    [InlineData("npm ci", "npm install", "npm ci")]
    [InlineData("RUN npm", "RUN apt-get update && npm", "packages of the day")]
    [InlineData("RUN npm", "RUN curl -s x | sh && npm", "into a shell")]
    [InlineData("EXPOSE 8000 8001", "EXPOSE 8000", "8001")]
    [InlineData("CMD [\"dotnet\", \"/app/Spillway.App.dll\", \"health\"]", "CMD curl http://localhost", "HEALTHCHECK")]
    [InlineData("ENTRYPOINT [\"dotnet\", \"/app/Spillway.App.dll\"]", "ENTRYPOINT dotnet x.dll", "exec form")]
    [InlineData("WORKDIR /app", "RUN true", "no shell")]
    [InlineData("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "drains")]
    [InlineData("ENV SPILLWAY__SERVER__PORT=8000", "ENV API_TOKEN=x SPILLWAY__SERVER__PORT=8000", "secret")]
    public void A_breach_is_found(string right, string wrong, string says)
    {
        Assert.Contains(right, Text, StringComparison.Ordinal);
        Assert.Contains(DockerfileLint.Check(Text.Replace(right, wrong, StringComparison.Ordinal), IsInContext),
            breach => breach.Contains(says, StringComparison.Ordinal));
    }

    [Fact]
    public void The_context_leaves_out_what_no_image_needs()
    {
        Assert.True(IsInContext("src/Spillway/Fault.cs"));
        Assert.True(IsInContext("native/package.json"));
        foreach (var path in new[] { ".git/config", "artifacts/app", "tests/Spillway.Tests", "native/node_modules/x" })
            Assert.False(Allowed(path), path);
    }

    [Fact]
    public void The_images_are_of_the_SDK_that_the_checkout_asks_for()
    {
        var wanted = JsonDocument.Parse(File.ReadAllText(Repository.At("global.json"))).RootElement
            .GetProperty("sdk").GetProperty("version").GetString()!;
        var major = string.Join('.', wanted.Split('.').Take(2));
        Assert.All(
            DockerfileLint.Parse(Text).Where(l => l.Word == "FROM" && l.Rest.Contains("dotnet/")),
            line => Assert.Contains($":{major}-", line.Rest, StringComparison.Ordinal));
    }

    private static bool IsInContext(string path) => Path.Exists(Repository.At(path)) && Allowed(path);

    /// <summary>.dockerignore as far as this project uses it: the last line that fits decides.</summary>
    private static bool Allowed(string path)
    {
        var allowed = true;
        foreach (var line in File.ReadAllLines(Repository.At(".dockerignore")).Where(l => l.Length > 0 && l[0] != '#'))
        {
            var (again, pattern) = (line[0] == '!', line.TrimStart('!').TrimEnd('/'));
            var fits = pattern == "*" || path.TrimEnd('/') == pattern
                || path.StartsWith(pattern + "/", StringComparison.Ordinal)
                || (pattern.StartsWith("**/", StringComparison.Ordinal) && path.Split('/').Contains(pattern[3..]));
            if (fits)
                allowed = again;
        }

        return allowed;
    }
}
