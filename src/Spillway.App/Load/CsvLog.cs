using System.Globalization;
using System.Text;

namespace Spillway.App.Load;

/// <summary>
/// One line per measured request. Written under the recorder's lock, about 1 µs a line; leave it out when the
/// generator's own cost matters.
/// </summary>
internal sealed class CsvLog : IDisposable
{
    private readonly TextWriter _writer;
    private readonly StringBuilder _line = new();
    private string _prefix = "";
    private long _origin;

    public CsvLog(TextWriter writer)
    {
        _writer = writer;
        _writer.WriteLine("endpoint,round,phase,scheduled_s,send_lag_us,latency_us,status,outcome,server_total_us");
    }

    /// <summary>A file that is overwritten.</summary>
    public static CsvLog Create(string path)
    {
        try
        {
            return new(new StreamWriter(path, append: false, Encoding.ASCII, bufferSize: 1 << 16));
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw LoadException.Usage($"Cannot write --csv '{path}': {failure.Message}");
        }
    }

    /// <summary>The lines that follow belong to this round; their times count from <paramref name="origin"/>.</summary>
    public void BeginRound(string endpoint, int round, long origin)
    {
        _prefix = string.Create(CultureInfo.InvariantCulture, $"{Quote(endpoint)},{round},");
        _origin = origin;
    }

    public void Write(in Work work, long now, TransportError error, ResponseParser? answer)
    {
        var status = error == TransportError.None ? answer?.Status ?? 0 : 0;
        var outcome = error != TransportError.None ? error.Name() : status is >= 200 and < 300 ? "ok" : "refused";
        var total = error == TransportError.None && answer is { Stages.Count: > 0 } ? answer.Stages[0] : -1;
        _line.Clear().Append(_prefix).Append(CultureInfo.InvariantCulture,
            $"{work.Phase},{(work.Scheduled - _origin) / 1e9:0.000000},{Microseconds(work.Sent - work.Scheduled)},");
        _line.Append(CultureInfo.InvariantCulture, $"{Microseconds(now - work.Scheduled)},{status},{Quote(outcome)},");
        if (total >= 0)
            _line.Append(CultureInfo.InvariantCulture, $"{Microseconds(total)}");
        _writer.WriteLine(_line);
    }

    public void Dispose() => _writer.Dispose();

    private static string Quote(string text) =>
        text.AsSpan().ContainsAny(",\"") ? $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"" : text;

    private static long Microseconds(long ns) => Math.Max(0, ns) / 1000;
}
