using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Protocols.OpenInference;
using Spillway.Telemetry;

namespace Spillway.Protocols.OpenAi;

/// <summary>
/// Faults as OpenAI's protocol has them: a status, {"error":{message, type, param, code}}, and headers that tell its
/// clients whether and when to come again. Complete tables: a new kind of fault does not compile without its rows.
/// </summary>
internal static class OpenAiErrors
{
    private const string Spent = "insufficient_quota";

    // Quotation marks as they are: people read these.
    private static readonly JsonWriterOptions s_plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>The HTTP status. Its clients choose the class of their exception by it.</summary>
    public static int Status(FaultKind kind) => kind switch
    {
        // Their clients know a limit by 429, whosever it is, and keep to Retry-After.
        FaultKind.UpstreamThrottled => 429,
        FaultKind.DeadlineExceeded or FaultKind.DroppedLate => 504,
        FaultKind.InvalidInput or FaultKind.Unauthenticated or FaultKind.Forbidden or FaultKind.UnknownPath
            or FaultKind.UnknownModel or FaultKind.UnknownRequest or FaultKind.WrongMethod or FaultKind.InputIncomplete
            or FaultKind.InputTooLarge or FaultKind.RateLimited or FaultKind.BudgetExhausted or FaultKind.Cancelled
            or FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.Internal or FaultKind.Unsupported
            or FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.ShuttingDown or FaultKind.SwitchedOff or FaultKind.StoreFailed or FaultKind.TargetsOpen
            or FaultKind.Shed or FaultKind.UpstreamUnreachable or FaultKind.UpstreamFailed or FaultKind.AnswerUnfit
            or FaultKind.UpstreamTimeout => FaultMapping.Status(kind),
    };

    /// <summary>The field type.</summary>
    public static string Type(FaultKind kind) => kind switch
    {
        FaultKind.InvalidInput or FaultKind.UnknownPath or FaultKind.UnknownModel or FaultKind.UnknownRequest
            or FaultKind.WrongMethod or FaultKind.InputIncomplete or FaultKind.InputTooLarge
            or FaultKind.Unsupported => "invalid_request_error",
        FaultKind.Unauthenticated => "authentication_error",
        FaultKind.Forbidden => "permission_error",
        FaultKind.RateLimited or FaultKind.UpstreamThrottled => "rate_limit_exceeded",
        FaultKind.BudgetExhausted => "insufficient_quota",
        FaultKind.Cancelled or FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.Internal
            or FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.DeadlineExceeded or FaultKind.ShuttingDown or FaultKind.SwitchedOff
            or FaultKind.StoreFailed or FaultKind.TargetsOpen or FaultKind.Shed or FaultKind.UpstreamUnreachable
            or FaultKind.UpstreamFailed or FaultKind.UpstreamTimeout or FaultKind.AnswerUnfit => "server_error",
    };

    /// <summary>The field code: theirs where clients look for it, else ours.</summary>
    public static string Code(FaultKind kind) => kind switch
    {
        FaultKind.UnknownModel => "model_not_found",
        FaultKind.Unauthenticated => "invalid_api_key",
        FaultKind.RateLimited or FaultKind.UpstreamThrottled => "rate_limit_exceeded",
        FaultKind.BudgetExhausted => "insufficient_quota",
        FaultKind.InvalidInput or FaultKind.UnknownPath or FaultKind.UnknownRequest or FaultKind.WrongMethod
            or FaultKind.InputIncomplete or FaultKind.InputTooLarge or FaultKind.Unsupported or FaultKind.Forbidden
            or FaultKind.Cancelled or FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.Internal
            or FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.DeadlineExceeded or FaultKind.ShuttingDown or FaultKind.SwitchedOff
            or FaultKind.StoreFailed or FaultKind.TargetsOpen or FaultKind.Shed or FaultKind.UpstreamUnreachable
            or FaultKind.UpstreamFailed or FaultKind.UpstreamTimeout or FaultKind.AnswerUnfit => FaultLabels.Of(kind),
    };

    private static string TypeOf(FaultKind kind, ErrorCause cause) => cause switch
    {
        ErrorCause.Kind => Type(kind),
        ErrorCause.Spent => Spent,
        ErrorCause.Content => Type(FaultKind.InvalidInput),
    };

    private static string CodeOf(FaultKind kind, ErrorCause cause) => cause switch
    {
        ErrorCause.Kind => Code(kind),
        ErrorCause.Spent => Spent,
        ErrorCause.Content => "content_filter",
    };

    /// <summary>
    /// Whether its clients are told not to repeat the request, which they do by themselves after 408, 409, 429 and 5xx:
    /// money does not come back in seconds, a deadline has passed, and what was tried over here is not mended by trying
    /// it all again at once.
    /// </summary>
    public static bool IsRetryInVain(FaultKind kind) => FaultMapping.IsRetryInVain(kind)
        || kind is FaultKind.DeadlineExceeded or FaultKind.DroppedLate or FaultKind.SwitchedOff or FaultKind.Internal;

    /// <summary>Writes it as an answer; returns the bytes of the body. A caller that is gone is no error
    /// here.</summary>
    /// <param name="http">The request.</param>
    /// <param name="fault">Why there is no answer.</param>
    /// <param name="cause">What its kind does not say.</param>
    public static ValueTask<long> WriteAsync(HttpContext http, Fault fault, ErrorCause cause = ErrorCause.Kind)
    {
        var response = http.Response;
        response.Headers[ErrorAnswer.FaultName] = FaultLabels.Of(fault.Kind);
        // As their clients know it: a mistake of the caller's that no repetition mends.
        var status = cause is ErrorCause.Content ? StatusCodes.Status400BadRequest : Status(fault.Kind);
        if (status is 429 or 503 && cause is not ErrorCause.Spent && fault.Kind is not FaultKind.BudgetExhausted)
        {
            response.Headers.RetryAfter = FaultMapping.RetryAfterSeconds(fault.RetryAfter);
            response.Headers["retry-after-ms"] = FaultMapping.RetryAfterMs(fault.RetryAfter);
        }

        if (IsRetryInVain(fault.Kind) || cause is ErrorCause.Content)
            response.Headers["x-should-retry"] = "false";
        if (FaultMapping.EndsConnection(fault.Kind))
            response.Headers.Connection = "close";
        return SendAsync(http, status, Body(fault, cause));
    }

    /// <summary>Sends an error's body with its status.</summary>
    public static async ValueTask<long> SendAsync(HttpContext http, int status, ReadOnlyMemory<byte> body)
    {
        var response = http.Response;
        (response.StatusCode, response.ContentType, response.ContentLength) = (status, "application/json", body.Length);
        response.BodyWriter.Write(body.Span);
        return await AnswerFlush.FlushAsync(http).ConfigureAwait(false) is null ? body.Length : 0;
    }

    /// <summary>The event that ends a stream which broke: its clients throw, and no [DONE] follows.</summary>
    public static byte[] Event(byte[] body) => [.. "data: "u8, .. body, .. "\n\n"u8];

    /// <summary>The error object.</summary>
    /// <param name="fault">What is told.</param>
    /// <param name="cause">As in <see cref="WriteAsync"/>.</param>
    public static byte[] Body(Fault fault, ErrorCause cause = ErrorCause.Kind)
    {
        var into = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(into, s_plain))
        {
            json.WriteStartObject();
            json.WriteStartObject("error");
            json.WriteString("message", fault.Message);
            json.WriteString("type", TypeOf(fault.Kind, cause));
            if (fault.Kind is FaultKind.UnknownModel)
                json.WriteString("param", "model");
            else
                json.WriteNull("param");
            json.WriteString("code", CodeOf(fault.Kind, cause));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        return into.WrittenSpan.ToArray();
    }
}

/// <summary>What the kind of a fault does not say of it.</summary>
internal enum ErrorCause
{
    /// <summary>Nothing more.</summary>
    Kind,

    /// <summary>An upstream's key has no money left, which no wait mends.</summary>
    Spent,

    /// <summary>A rule over content refuses what is asked, or what is answered.</summary>
    Content,
}
