using Microsoft.Extensions.Primitives;

namespace Spillway.Protocols;

/// <summary>How bodies are compressed on the wire.</summary>
internal enum ContentCoding : byte
{
    /// <summary>Not at all.</summary>
    Identity,

    /// <summary>RFC 1952.</summary>
    Gzip,

    /// <summary>RFC 1950, and from callers also the bare RFC 1951 that some send under this name.</summary>
    Deflate,
}

/// <summary>The headers Content-Encoding and Accept-Encoding.</summary>
internal static class ContentCodings
{
    /// <summary>What callers may send and ask for.</summary>
    public const string Known = "gzip, deflate";

    /// <summary>
    /// Answers below this are sent as they are: with their headers they fit one packet (1460 bytes on Ethernet), and
    /// compressing them would only cost time.
    /// </summary>
    public const int BytesMin = 1400;

    /// <summary>The name on the wire.</summary>
    public static string Name(this ContentCoding coding) => coding switch
    {
        ContentCoding.Identity => "identity",
        ContentCoding.Gzip => "gzip",
        ContentCoding.Deflate => "deflate",
    };

    /// <summary>How a request's body is compressed; a fault when it is none of ours, or several in a row.</summary>
    public static Outcome<ContentCoding> Read(StringValues header)
    {
        if (header.Count == 1 && Parse(header[0].AsSpan().Trim()) is { } coding)
            return coding;
        var shown = header.ToString();
        shown = shown.Length > 40 ? shown[..40] + "…" : shown;
        return new Fault(
            FaultKind.Unsupported,
            $"The body's encoding (Content-Encoding: {shown}) is not supported. "
            + "Send it as it is, or with one of gzip and deflate.");
    }

    /// <summary>
    /// The best that a caller takes, by RFC 9110 section 12.5.3: the highest weight, gzip before deflate before none
    /// among equals. Allocates nothing; what is malformed is passed over.
    /// </summary>
    public static ContentCoding Choose(StringValues header)
    {
        var weights = new Weights();
        foreach (var line in header)
        {
            var rest = line.AsSpan();
            while (!rest.IsEmpty)
            {
                var end = rest.IndexOf(',');
                weights.Take(end < 0 ? rest : rest[..end]);
                rest = end < 0 ? default : rest[(end + 1)..];
            }
        }

        return weights.Best();
    }

    private static ContentCoding? Parse(ReadOnlySpan<char> name)
    {
        if (Is(name, "gzip") || Is(name, "x-gzip"))
            return ContentCoding.Gzip;
        if (Is(name, "deflate"))
            return ContentCoding.Deflate;
        return name.IsEmpty || Is(name, "identity") ? ContentCoding.Identity : null;
    }

    private static bool Is(ReadOnlySpan<char> name, string coding) =>
        name.Equals(coding, StringComparison.OrdinalIgnoreCase);

    /// <summary>Weights in thousandths; -1 where the caller says nothing.</summary>
    private struct Weights()
    {
        private int _gzip = -1;
        private int _deflate = -1;
        private int _identity = -1;
        private int _any = -1;

        public void Take(ReadOnlySpan<char> entry)
        {
            var end = entry.IndexOf(';');
            var name = (end < 0 ? entry : entry[..end]).Trim();
            if (name.IsEmpty || Weight(end < 0 ? default : entry[(end + 1)..].Trim()) is not { } weight)
                return;
            if (name is "*")
                _any = weight;
            else if (Parse(name) is ContentCoding.Gzip)
                _gzip = weight;
            else if (Parse(name) is ContentCoding.Deflate)
                _deflate = weight;
            else if (Parse(name) is ContentCoding.Identity)
                _identity = weight;
        }

        /// <summary>What is not named has the weight of "*"; without one only identity is left.</summary>
        public readonly ContentCoding Best()
        {
            var gzip = _gzip >= 0 ? _gzip : _any;
            var deflate = _deflate >= 0 ? _deflate : _any;
            if (gzip > 0 && gzip >= deflate && gzip >= _identity)
                return ContentCoding.Gzip;
            return deflate > 0 && deflate >= _identity ? ContentCoding.Deflate : ContentCoding.Identity;
        }

        /// <summary>Of "q=0.5": 500; of nothing: 1000; null when it is malformed.</summary>
        private static int? Weight(ReadOnlySpan<char> parameter)
        {
            if (parameter.IsEmpty)
                return 1000;
            if (parameter is not ['q' or 'Q', '=', '0' or '1', ..])
                return null;
            var value = parameter[2] - '0';
            var digits = parameter[3..];
            if (digits.Length > 0 && (digits[0] != '.' || digits.Length > 4))
                return null;
            for (var i = 1; i < 4; i++)
            {
                var digit = i < digits.Length ? digits[i] - '0' : 0;
                if (digit is < 0 or > 9)
                    return null;
                value = (value * 10) + digit;
            }

            return value <= 1000 ? value : null;
        }
    }
}
