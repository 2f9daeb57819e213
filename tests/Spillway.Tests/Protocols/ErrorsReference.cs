using System.Text;
using System.Xml.Linq;
using Spillway.Protocols;
using Spillway.Protocols.Grpc;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Tests.Protocols;

/// <summary>Writes docs/reference/errors.md from the tables over <see cref="FaultKind"/> and its doc comments.</summary>
internal static class ErrorsReference
{
    /// <summary>The page, with line feeds.</summary>
    public static string Write()
    {
        var page = new StringBuilder($$"""
            # Errors

            Generated from `src/Spillway/FaultKind.cs` and the tables over it; change those, then run the tests with
            `SPILLWAY_UPDATE_DOCS=1`.

            Failures are a closed list. Whatever goes wrong, the body is `{"error": "<what happened, the value, the limit,
            what to do>"}` with `Content-Type: application/json`, and the header `{{ErrorAnswer.FaultName}}` carries the
            label of the kind for programs. The same label is the `outcome` in metrics and request records; a request that
            went well has the outcome `{{FaultLabels.Ok}}`.

            Every 503 carries `Retry-After` in whole seconds, rounded up, at least 1, and `retry-after-ms` in whole
            milliseconds, rounded up, at least 1: the time after which another attempt may succeed. A client that reads
            both takes the second. 429 is kept for a caller's own limits: of a rate it carries both headers too, of a
            budget `x-should-retry: false`, because money does not come back within the seconds that clients wait. Where
            the column says "yes", the server closes the connection after the answer, because the rest of the body is not read.

            gRPC answers with the status in the column beside it, the same text in `grpc-message`, the label in the same
            header, and `retry-after-ms` again as `grpc-retry-pushback-ms`, which clients with a retry policy obey.

            | label | status | gRPC | retry headers | closes | what happened |
            |---|---|---|---|---|---|

            """.ReplaceLineEndings("\n"));
        foreach (var kind in FaultLabels.Kinds)
        {
            page.Append($"| `{FaultLabels.Of(kind)}` | {FaultMapping.Status(kind)} ");
            page.Append($"| {Name(GrpcMapping.Status(kind))} ");
            page.Append($"| {(FaultMapping.IsRetryAfterDue(kind) ? "yes" : "")} ");
            page.Append($"| {(FaultMapping.EndsConnection(kind) ? "yes" : "")} | {Summary(kind)} |\n");
        }

        page.Append(
            """

            `cancelled` is seen in metrics and records only: nobody is there to read the answer, so the connection is closed
            without one, and 499 is the status that nginx made customary for it. `load_failed` concerns the start of a
            model; requests to such a model get `model_not_ready` with the reason.

            """.ReplaceLineEndings("\n"));
        return page.ToString();
    }

    /// <summary>As gRPC spells it: INVALID_ARGUMENT.</summary>
    private static string Name(GrpcStatus status) => string.Concat(
        $"{status}".Select((c, i) => char.IsUpper(c) && i > 0 ? $"_{c}" : $"{char.ToUpperInvariant(c)}"));

    private static string Summary(FaultKind kind)
    {
        var file = Path.Combine(AppContext.BaseDirectory, "Spillway.xml");
        var member = XDocument.Load(file).Descendants("member")
            .Single(m => m.Attribute("name")!.Value == $"F:Spillway.FaultKind.{kind}");
        return string.Join(' ', member.Element("summary")!.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}
