using Spillway.Tests.Telemetry;

namespace Spillway.Tests.Protocols;

public sealed class ErrorsReferenceTests
{
    [Fact]
    public void The_reference_page_is_what_the_tables_say() =>
        Golden.Check("docs/reference/errors.md", ErrorsReference.Write());
}
