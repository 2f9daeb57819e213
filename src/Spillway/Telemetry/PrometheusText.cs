using System.Buffers;
using System.Globalization;
using System.Text;

namespace Spillway.Telemetry;

/// <summary>
/// Prometheus' text exposition format 0.0.4, written straight into a buffer (a response's PipeWriter). One use, one
/// thread. HELP and TYPE stand once before the samples of their family.
/// </summary>
/// <param name="output">Where the bytes go; the caller flushes.</param>
internal sealed class PrometheusText(IBufferWriter<byte> output)
{
    /// <summary>The media type of what is written.</summary>
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private const int NumberBytesMax = 32;

    /// <summary>Begins a family.</summary>
    public void Family(InstrumentSpec spec)
    {
        Ascii("# HELP ");
        Ascii(spec.Name);
        Ascii(" ");
        Raw(Encoding.UTF8.GetBytes(EscapeHelp(spec.Help)));
        Ascii("\n# TYPE ");
        Ascii(spec.Name);
        Ascii(KindLine(spec.Kind));
    }

    /// <summary>One sample with a whole number.</summary>
    public void Sample(string name, string suffix, ReadOnlySpan<byte> labels, long value)
    {
        Head(name, suffix, labels, default);
        Whole(value);
        Ascii("\n");
    }

    /// <summary>One sample with any number; infinities and NaN as the format spells them.</summary>
    public void Sample(string name, string suffix, ReadOnlySpan<byte> labels, double value)
    {
        Head(name, suffix, labels, default);
        Raw(Number(value));
        Ascii("\n");
    }

    /// <summary>One cumulative bucket of a histogram.</summary>
    public void Bucket(string name, ReadOnlySpan<byte> labels, ReadOnlySpan<byte> bound, long cumulative)
    {
        Head(name, "_bucket", labels, bound);
        Whole(cumulative);
        Ascii("\n");
    }

    /// <summary>Label pairs as they stand between the braces, escaped; made once when a series is created.</summary>
    public static byte[] Labels(IReadOnlyList<string> names, IReadOnlyList<string> values)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(values.Count, names.Count);
        var text = new StringBuilder();
        for (var i = 0; i < names.Count; i++)
            text.Append(i == 0 ? "" : ",").Append(names[i]).Append("=\"").Append(EscapeLabel(values[i])).Append('"');
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>A number as the format wants it: the shortest text that reads back as the same double.</summary>
    public static byte[] Number(double value)
    {
        if (double.IsNaN(value))
            return "NaN"u8.ToArray();
        if (double.IsInfinity(value))
            return value > 0 ? "+Inf"u8.ToArray() : "-Inf"u8.ToArray();
        return Encoding.UTF8.GetBytes(value.ToString("R", CultureInfo.InvariantCulture));
    }

    private static string KindLine(InstrumentKind kind) => kind switch
    {
        InstrumentKind.Counter => " counter\n",
        InstrumentKind.Gauge => " gauge\n",
        InstrumentKind.Histogram => " histogram\n",
    };

    private static string EscapeHelp(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private static string EscapeLabel(string text) =>
        EscapeHelp(text).Replace("\"", "\\\"", StringComparison.Ordinal);

    private void Head(string name, string suffix, ReadOnlySpan<byte> labels, ReadOnlySpan<byte> bound)
    {
        Ascii(name);
        Ascii(suffix);
        if (labels.IsEmpty && bound.IsEmpty)
        {
            Ascii(" ");
            return;
        }

        Ascii("{");
        Raw(labels);
        if (!bound.IsEmpty)
        {
            Ascii(labels.IsEmpty ? "le=\"" : ",le=\"");
            Raw(bound);
            Ascii("\"");
        }

        Ascii("} ");
    }

    private void Whole(long value)
    {
        var span = output.GetSpan(NumberBytesMax);
        value.TryFormat(span, out var written, default, CultureInfo.InvariantCulture);
        output.Advance(written);
    }

    private void Ascii(string text)
    {
        var span = output.GetSpan(text.Length);
        System.Text.Ascii.FromUtf16(text, span, out var written);
        output.Advance(written);
    }

    private void Raw(ReadOnlySpan<byte> bytes) => output.Write(bytes);
}
