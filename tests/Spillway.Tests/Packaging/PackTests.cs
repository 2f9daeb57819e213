using System.IO.Compression;
using System.Text;
using System.Text.Json;
using System.Xml.Linq;
using Spillway.Tests.Runtimes.Onnx;
using Spillway.Tests.Server;

namespace Spillway.Tests.Packaging;

/// <summary>The packages as `dotnet pack` makes them, and the sample built from nothing else of ours.</summary>
public sealed class PackTests(PackTests.Feed feed) : IClassFixture<PackTests.Feed>
{
    [Theory]
    [InlineData("Spillway", "lib/net10.0/Spillway.dll", "lib/net10.0/Spillway.xml")]
    [InlineData("Spillway.Runtimes", "lib/net10.0/Spillway.Runtimes.dll", "lib/net10.0/Spillway.Runtimes.xml")]
    [InlineData("Spillway.Extensions.AI", "lib/net10.0/Spillway.Extensions.AI.dll",
        "lib/net10.0/Spillway.Extensions.AI.xml")]
    [InlineData("Spillway.App", "tools/net10.0/any/Spillway.App.dll", "tools/net10.0/any/DotnetToolSettings.xml")]
    public void A_package_says_what_it_is_and_holds_no_native_library(string id, params string[] holds)
    {
        using var package = feed.Open(id, "nupkg");
        var names = package.Entries.Select(e => e.FullName).ToList();

        Assert.All(holds, file => Assert.Contains(file, names));
        Assert.Contains("PACKAGE.md", names);
        Assert.Contains("NOTICE", names);
        Assert.DoesNotContain(names, n => n.Contains("onnxruntime", StringComparison.OrdinalIgnoreCase));
        var spec = XDocument.Parse(Text(package, $"{id}.nuspec")).Root!.Elements().Single();
        Assert.Equal(id, Value(spec, "id"));
        Assert.Equal("Apache-2.0", Value(spec, "license"));
        Assert.Equal("PACKAGE.md", Value(spec, "readme"));
        Assert.True(Value(spec, "description").Length > 20);
        Assert.Contains("inference", Value(spec, "tags"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_tool_s_command_is_spillway()
    {
        using var package = feed.Open("Spillway.App", "nupkg");
        var settings = XDocument.Parse(Text(package, "tools/net10.0/any/DotnetToolSettings.xml"));
        var command = settings.Descendants("Command").Single();
        Assert.Equal("spillway", command.Attribute("Name")!.Value);
        Assert.Equal("Spillway.App.dll", command.Attribute("EntryPoint")!.Value);
    }

    [Theory]
    [InlineData("Spillway")]
    [InlineData("Spillway.Runtimes")]
    [InlineData("Spillway.Extensions.AI")]
    [InlineData("Spillway.App")]
    public void Neither_packages_nor_symbols_name_the_machine_that_made_them(string id)
    {
        var symbols = 0;
        foreach (var kind in new[] { "nupkg", "snupkg" })
        {
            using var package = feed.Open(id, kind);
            foreach (var entry in package.Entries.Where(e => e.Name.StartsWith("Spillway", StringComparison.Ordinal)))
            {
                symbols += entry.Name.EndsWith(".pdb", StringComparison.Ordinal) ? 1 : 0;
                using var bytes = new MemoryStream();
                using (var content = entry.Open())
                    content.CopyTo(bytes);
                var machine = Encoding.UTF8.GetBytes(Repository.Root);
                Assert.True(bytes.ToArray().AsSpan().IndexOf(machine) < 0, entry.FullName);
            }
        }

        Assert.True(symbols > 0, "There are no symbols.");
    }

    [Fact]
    public async Task The_sample_builds_from_the_packages_and_answers_on_its_own_endpoint_and_on_ours()
    {
        using var folder = new TempFolder();
        foreach (var file in Directory.EnumerateFiles(Repository.At("samples", "embedded")))
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)));
        // Only the packages of this test, and what the build of the tests has already fetched.
        var known = Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(
            Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        var into = Path.Combine(folder.Path, "out");
        await DotnetCommand.RunAsync(
            "build", Path.Combine(folder.Path, "Spillway.Sample.Embedded.csproj"), "-c", "Release", "-o", into,
            $"-p:SpillwayVersion={feed.Version}", $"-p:RestoreSources={feed.Path}%3B{known}",
            $"-p:RestorePackagesPath={Path.Combine(folder.Path, "packages")}", "-p:UseAppHost=false",
            "-p:NuGetAudit=false");

        await using var sample = ChildProcess.Start(
            "dotnet", [Path.Combine(into, "Spillway.Sample.Embedded.dll"), "--contentRoot", into],
            ("ASPNETCORE_URLS", ""), ("Urls", "http://127.0.0.1:0"));
        var line = await sample.LineAsync("      Now listening on: ");
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false })
        {
            BaseAddress = new(line.Split(": ")[^1]), Timeout = TestServer.Patience,
        };

        var own = JsonElement.Parse(await http.GetStringAsync("/total?values=1&values=2&values=4.5"));
        Assert.Equal(7.5, own.GetProperty("total").GetDouble());
        var model = JsonElement.Parse(await http.GetStringAsync("/ai/v2/models/prices"));
        Assert.Equal("prices", model.GetProperty("name").GetString());
        using var asked = await http.PostAsync("/ai/v2/models/prices/infer", new StringContent(
            """{"inputs":[{"name":"features","shape":[1,2],"datatype":"FP32","data":[3,4]}]}"""));
        Assert.Contains("\"price\"", await asked.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        var record = await http.GetStringAsync($"/ai/admin/v1/requests/{own.GetProperty("requestId").GetString()}");
        Assert.Contains("echo", record, StringComparison.Ordinal);

        await sample.SignalAsync("TERM");
        Assert.Equal(0, (await sample.EndAsync()).ExitCode);
    }

    private static string Value(XElement spec, string name) =>
        spec.Elements().Single(e => e.Name.LocalName == name).Value;

    private static string Text(ZipArchive package, string name)
    {
        using var reader = new StreamReader(package.GetEntry(name)!.Open());
        return reader.ReadToEnd();
    }

    /// <summary>All packages, made once, in a folder that is a source for NuGet.</summary>
    public sealed class Feed : IAsyncLifetime, IDisposable
    {
        private static readonly string[] s_projects =
            ["Spillway", "Spillway.Runtimes", "Spillway.Extensions.AI", "Spillway.App"];

        private readonly TempFolder _folder = new();

        public string Path => _folder.Path;

        public string Version { get; private set; } = "";

        public async Task InitializeAsync()
        {
            foreach (var project in s_projects)
            {
                await DotnetCommand.RunAsync(
                    "pack", Repository.At("src", project), "-c", DotnetCommand.Configuration, "--no-build", "-o", Path);
            }

            var name = System.IO.Path.GetFileNameWithoutExtension(
                Directory.EnumerateFiles(Path, "Spillway.App.*.nupkg").Single());
            Version = name["Spillway.App.".Length..];
        }

        public Task DisposeAsync() => Task.CompletedTask;

        public void Dispose() => _folder.Dispose();

        public ZipArchive Open(string id, string kind) =>
            ZipFile.OpenRead(System.IO.Path.Combine(Path, $"{id}.{Version}.{kind}"));
    }
}
