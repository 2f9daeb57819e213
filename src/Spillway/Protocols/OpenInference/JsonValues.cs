using System.Buffers.Text;

namespace Spillway.Protocols.OpenInference;

/// <summary>
/// The small values of a request's JSON. Where one of these returns a fault while the cursor has failed, the cursor's
/// own error is the better one: the callers look there first.
/// </summary>
internal static class JsonValues
{
    /// <summary>A whole number of at most 64 bits, not negative.</summary>
    public static Fault? ReadWhole(ref JsonCursor json, string name, out ulong value)
    {
        value = 0;
        if (json.Peek() == JsonKind.Number && json.TryReadNumber(out var token)
            && Utf8Parser.TryParse(token, out value, out var used) && used == token.Length)
        {
            return null;
        }

        return RequestFaults.Parameter(name, $"must be a whole number from 0 to {ulong.MaxValue}");
    }

    /// <summary>true or false.</summary>
    public static Fault? ReadBool(ref JsonCursor json, string name, out bool value)
    {
        var kind = json.Peek();
        value = kind == JsonKind.True;
        if (kind is JsonKind.True or JsonKind.False && json.TryReadLiteral(value ? "true"u8 : "false"u8))
            return null;
        return RequestFaults.Parameter(name, "must be true or false");
    }

    /// <summary>A shape; negative dimensions are kept, for the text that refuses them.</summary>
    public static Fault? ReadShape(ref JsonCursor json, out Shape shape)
    {
        shape = default;
        if (json.Peek() != JsonKind.Array)
            return RequestFaults.NotA(ref json, "array", "shape");
        json.TryEnterArray();
        var first = true;
        while (json.NextElement(ref first))
        {
            if (json.Peek() != JsonKind.Number || !json.TryReadNumber(out var token)
                || !Utf8Parser.TryParse(token, out long dim, out var used) || used != token.Length)
            {
                return RequestFaults.NotA("unsigned-integer", "shape");
            }

            if (!shape.TryAdd(dim))
                return RequestFaults.TooManyDimensions(Shape.RankMax);
        }

        return null;
    }

    /// <summary>
    /// Enters a "parameters" object; false when there is nothing to read, because it is null or wrong.
    /// </summary>
    public static bool EnterParameters(ref JsonCursor json, out Fault? fault)
    {
        fault = null;
        var kind = json.Peek();
        if (kind == JsonKind.Object)
            return json.TryEnterObject();
        if (kind != JsonKind.Null)
            fault = RequestFaults.NotA(ref json, "object", "parameters");
        else
            json.TryReadLiteral("null"u8);
        return false;
    }

    /// <summary>A parameter that means nothing here: any string, number or boolean.</summary>
    public static Fault? SkipParameter(ref JsonCursor json, scoped JsonString key)
    {
        if (json.Peek() is JsonKind.Object or JsonKind.Array or JsonKind.Null)
            return RequestFaults.Parameter(key.Shown(), "has invalid type. It should be a string, number or boolean");
        json.SkipValue();
        return null;
    }
}
