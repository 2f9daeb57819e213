using Spillway.Tests.Telemetry;

namespace Spillway.Tests.App.Cli;

public sealed class CliReferenceTests
{
    [Fact]
    public void The_reference_page_is_what_help_says() => Golden.Check("docs/reference/cli.md", CliReference.Write());
}
