using System.CommandLine;
using System.CommandLine.Help;
using System.Text;
using Spillway.App.Cli;

namespace Spillway.Tests.App.Cli;

/// <summary>Writes docs/reference/cli.md from what <c>--help</c> prints.</summary>
internal static class CliReference
{
    private const int Width = 120;

    /// <summary>The page, with line feeds.</summary>
    public static string Write()
    {
        var page = new StringBuilder(
            """
            # Command line

            Generated from `--help`; run the tests with `SPILLWAY_UPDATE_DOCS=1` to write it anew. From a checkout the
            command is `./spillway`, which builds first if needed.


            """.ReplaceLineEndings("\n"));
        Append(page, "spillway", []);
        foreach (var command in Commands.Root().Subcommands.Where(command => !command.Hidden))
            Append(page, $"spillway {command.Name}", [command.Name]);
        return page.ToString().TrimEnd('\n') + "\n";
    }

    private static void Append(StringBuilder page, string title, string[] command)
    {
        var root = Commands.Root();
        root.Options.OfType<HelpOption>().Single().Action = new HelpAction { MaxWidth = Width };
        using var output = new StringWriter();
        root.Parse([.. command, "--help"]).Invoke(new InvocationConfiguration { Output = output });
        var lines = output.ToString().ReplaceLineEndings("\n")
            .Replace(RootCommand.ExecutableName, "spillway", StringComparison.Ordinal).Trim('\n').Split('\n');
        page.Append($"## {title}\n\n```text\n").AppendJoin('\n', lines.Select(line => line.TrimEnd())).Append("\n```\n\n");
    }
}
