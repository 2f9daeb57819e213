using System.Text.RegularExpressions;
using Spillway.Protocols.Admin;
using Spillway.Tests.Runtimes.Onnx;

namespace Spillway.Tests.Protocols.Admin;

public sealed partial class AdminReferenceTests
{
    [Fact]
    public void The_reference_page_documents_exactly_the_paths_that_the_server_names()
    {
        // "/admin/v1/server, models, config, … and repository/models/<name>/unload"
        var named = AdminEndpoints.PathsInWords[AdminEndpoints.Root.Length..]
            .Split([", ", " and "], StringSplitOptions.None).Select(rest => AdminEndpoints.Root + rest);
        var page = File.ReadAllText(Repository.At("docs", "reference", "admin.md"));
        var documented = Heading().Matches(page).Select(heading => heading.Groups["path"].Value);

        Assert.Equal(named.Order(), documented.Order());
    }

    [Fact]
    public void Every_example_of_the_reference_page_is_json()
    {
        var page = File.ReadAllText(Repository.At("docs", "reference", "admin.md"));

        Assert.All(Example().Matches(page), example => System.Text.Json.JsonDocument.Parse(example.Groups["json"].Value).Dispose());
        Assert.Equal(Heading().Count(page) + 1, Example().Count(page));
    }

    [GeneratedRegex("^## (GET|POST) (?<path>/admin/\\S+)$", RegexOptions.Multiline)]
    private static partial Regex Heading();

    [GeneratedRegex("^```json\n(?<json>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Example();
}
