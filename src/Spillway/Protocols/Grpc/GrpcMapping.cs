using System.Globalization;
using System.Text;

namespace Spillway.Protocols.Grpc;

/// <summary>
/// What every fault looks like in gRPC. A complete table: a new kind of fault does not compile without its row.
/// </summary>
internal static class GrpcMapping
{
    /// <summary>
    /// The longest text in bytes before encoding, which at worst makes three of each: clients take 8 KiB of trailers.
    /// </summary>
    public const int MessageBytesMax = 2048;

    private static readonly string[] s_numbers =
        [.. Enumerable.Range(0, 17).Select(n => n.ToString(CultureInfo.InvariantCulture))];

    /// <summary>The status of a fault: Triton's where it has the same one, else what gRPC itself says.</summary>
    public static GrpcStatus Status(FaultKind kind) => kind switch
    {
        FaultKind.InvalidInput => GrpcStatus.InvalidArgument,
        FaultKind.InputTooLarge => GrpcStatus.ResourceExhausted,
        // "Error parsing request proto" and a missing message are INTERNAL in gRPC's own list.
        FaultKind.InputIncomplete => GrpcStatus.Internal,
        FaultKind.UnknownPath or FaultKind.WrongMethod or FaultKind.Unsupported => GrpcStatus.Unimplemented,
        FaultKind.UnknownModel or FaultKind.UnknownRequest => GrpcStatus.NotFound,
        FaultKind.Unauthenticated => GrpcStatus.Unauthenticated,
        FaultKind.Forbidden => GrpcStatus.PermissionDenied,
        FaultKind.RateLimited or FaultKind.BudgetExhausted => GrpcStatus.ResourceExhausted,
        FaultKind.ModelNotReady or FaultKind.QueueFull or FaultKind.ServerFull or FaultKind.PredictedLate
            or FaultKind.DroppedLate or FaultKind.ShuttingDown or FaultKind.SwitchedOff
            or FaultKind.StoreFailed or FaultKind.UpstreamThrottled or FaultKind.TargetsOpen
            or FaultKind.Shed => GrpcStatus.Unavailable,
        // What gRPC's own table makes of an HTTP 502.
        FaultKind.UpstreamUnreachable or FaultKind.UpstreamFailed => GrpcStatus.Unavailable,
        FaultKind.DeadlineExceeded or FaultKind.UpstreamTimeout => GrpcStatus.DeadlineExceeded,
        FaultKind.Cancelled => GrpcStatus.Cancelled,
        FaultKind.RuntimeFailed or FaultKind.LoadFailed or FaultKind.AnswerUnfit
            or FaultKind.Internal => GrpcStatus.Internal,
    };

    /// <summary>The value of grpc-status.</summary>
    public static string Number(GrpcStatus status) => s_numbers[(int)status];

    /// <summary>
    /// The value of grpc-message: UTF-8, of which what is not visible ASCII is percent-encoded, and '%' itself; nothing
    /// else, or clients show the codes.
    /// </summary>
    public static string Message(string text)
    {
        if (text.Length <= MessageBytesMax && !text.AsSpan().ContainsAnyExceptInRange(' ', '~') && !text.Contains('%'))
            return text;
        var bytes = Encoding.UTF8.GetBytes(text);
        var shown = bytes.AsSpan(0, Math.Min(bytes.Length, MessageBytesMax));
        var encoded = new StringBuilder(shown.Length + 64);
        foreach (var one in shown)
        {
            if (one is >= 0x20 and <= 0x7e and not (byte)'%')
                encoded.Append((char)one);
            else
                encoded.Append('%').Append(one.ToString("X2", CultureInfo.InvariantCulture));
        }

        return encoded.ToString();
    }
}
