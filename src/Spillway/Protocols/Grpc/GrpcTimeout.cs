using System.Globalization;

namespace Spillway.Protocols.Grpc;

/// <summary>The header grpc-timeout: how long the caller waits, from when it sent the call.</summary>
internal static class GrpcTimeout
{
    /// <summary>The header's name.</summary>
    public const string HeaderName = "grpc-timeout";

    /// <summary>Up to eight digits and a unit.</summary>
    private const int LengthMax = 9;

    /// <summary>Reads it; null for none, a fault when it is malformed.</summary>
    public static Fault? Parse(string? header, out TimeSpan? timeout)
    {
        timeout = null;
        if (header is null)
            return null;
        var known = header.Length is >= 2 and <= LengthMax && long.TryParse(
            header.AsSpan(0, header.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture, out _);
        var number = known ? long.Parse(header.AsSpan(0, header.Length - 1), CultureInfo.InvariantCulture) : 0;
        timeout = known ? Span(number, header[^1]) : null;
        var shown = header.Length > 20 ? header[..20] + "…" : header;
        return timeout is not null ? null : Fault.Invalid(
            $"The header grpc-timeout '{shown}' is malformed: it has one to eight digits and a unit, one of H, M, S, "
            + "m, u and n.");
    }

    /// <summary>The earlier of two; null means no limit.</summary>
    public static TimeSpan? Earlier(TimeSpan? one, TimeSpan? other) =>
        one is { } a && other is { } b ? (a < b ? a : b) : one ?? other;

    private static TimeSpan? Span(long number, char unit) => unit switch
    {
        'H' => TimeSpan.FromTicks(number * TimeSpan.TicksPerHour),
        'M' => TimeSpan.FromTicks(number * TimeSpan.TicksPerMinute),
        'S' => TimeSpan.FromTicks(number * TimeSpan.TicksPerSecond),
        'm' => TimeSpan.FromTicks(number * TimeSpan.TicksPerMillisecond),
        'u' => TimeSpan.FromTicks(number * TimeSpan.TicksPerMicrosecond),
        'n' => TimeSpan.FromTicks(number / TimeSpan.NanosecondsPerTick),
        _ => null,
    };
}
