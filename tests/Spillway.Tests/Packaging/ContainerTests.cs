using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Server;

namespace Spillway.Tests.Packaging;

/// <summary>
/// The last stage of the Dockerfile without an engine: what its build stage publishes, in a folder that nobody may
/// write, started as its user with its environment, asked by its health check, ended by its signal.
/// </summary>
public sealed class ContainerTests
{
    private const string User = "1654";

    private static readonly IReadOnlyList<DockerfileLint.Line> s_lines =
        DockerfileLint.Parse(File.ReadAllText(Repository.At("Dockerfile")));

    [Fact]
    public async Task What_the_image_holds_starts_as_its_user_is_healthy_and_drains()
    {
        using var folder = new TempFolder();
        var (app, etc) = (Path.Combine(folder.Path, "app"), Path.Combine(folder.Path, "etc"));
        await PublishAsync(app);
        Copy(Repository.At("samples", "simulated"), etc);
        await ShellAsync("chmod 755 \"$0\" && chmod -R a+rX,a-w \"$1\" \"$2\"", folder.Path, app, etc);
        try
        {
            var environment = s_lines.Where(l => l.Word == "ENV")
                .SelectMany(l => l.Rest.Split(' ', StringSplitOptions.RemoveEmptyEntries))
                .Select(pair => pair.Split('=')).Select(p => (p[0], p[0].EndsWith("PORT") ? "0" : p[1]))
                .Append(("HOME", "/nonexistent")).ToArray();
            var start = Exec("ENTRYPOINT", app, etc).Concat(Exec("CMD", app, etc)).ToArray();
            await using var server = AsUser(app, start, environment);
            var address = (await server.LineAsync("Ready: ")).Split(" on ")[^1];

            var check = Words(s_lines.Last(l => l.Word == "HEALTHCHECK").Rest.Split("CMD ")[1], app, etc);
            var (code, output, errors) = await Run(AsUser(app, check, [.. environment, ("SPILLWAY_SERVER", address)]));
            Assert.True(code == 0, output + errors);

            await server.SignalAsync("TERM");
            Assert.Equal(0, (await server.EndAsync()).ExitCode);
            (code, output, errors) = await Run(AsUser(app, check, [.. environment, ("SPILLWAY_SERVER", address)]));
            Assert.Equal(1, code);
            Assert.Contains(address, errors, StringComparison.Ordinal);
        }
        finally
        {
            await ShellAsync("chmod -R u+w \"$0\"", folder.Path);
        }
    }

    /// <summary>The command of the build stage, into our folder; the tests have built what it would build.</summary>
    private static Task<string> PublishAsync(string into)
    {
        var command = s_lines.Single(l => l.Word == "RUN" && l.Rest.StartsWith("dotnet publish")).Rest.Split(' ')[1..];
        for (var i = 0; i < command.Length; i++)
        {
            command[i] = command[i] switch
            {
                "/app" => into,
                "Release" => DotnetCommand.Configuration,
                var path when path.StartsWith("src/", StringComparison.Ordinal) => Repository.At(path),
                var other => other,
            };
        }

        return DotnetCommand.RunAsync([.. command, "--no-build"]);
    }

    /// <summary>As the image's user where we may become it; first it must fail to write its own folder.</summary>
    private static ChildProcess AsUser(string app, string[] command, (string, string)[] environment)
    {
        const string Then = "if touch \"$0/written\" 2>/dev/null; then echo 'may write its folder' >&2; exit 9; fi; "
            + "exec \"$@\"";
        string[] shell = ["sh", "-c", Environment.UserName == "root" ? Then : "exec \"$@\"", app, .. command];
        return Environment.UserName == "root"
            ? ChildProcess.Start(
                "setpriv", [$"--reuid={User}", $"--regid={User}", "--clear-groups", .. shell], environment)
            : ChildProcess.Start(shell[0], shell[1..], environment);
    }

    private static string[] Exec(string word, string app, string etc) =>
        Words(s_lines.Last(l => l.Word == word).Rest, app, etc);

    private static string[] Words(string json, string app, string etc) =>
    [
        .. System.Text.Json.JsonSerializer.Deserialize<string[]>(json)!
            .Select(w => w.Replace("/app/", app + "/", StringComparison.Ordinal))
            .Select(w => w.Replace("/etc/spillway", etc, StringComparison.Ordinal)),
    ];

    private static async Task<(int Code, string Output, string Errors)> Run(ChildProcess child)
    {
        await using (child)
            return await child.EndAsync();
    }

    private static async Task ShellAsync(string script, params string[] arguments)
    {
        await using var child = ChildProcess.Start("sh", ["-c", script, .. arguments]);
        Assert.Equal(0, (await child.EndAsync()).ExitCode);
    }

    private static void Copy(string from, string to)
    {
        foreach (var file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            var target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
