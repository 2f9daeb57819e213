namespace Spillway.Protocols.OpenInference;

/// <summary>
/// The texts of refused requests. Where Triton has one, it is kept to the letter, because clients and their tests look
/// for it; what follows it is ours.
/// </summary>
internal static class RequestFaults
{
    public static Fault Json(string expected, int at) =>
        Fault.Invalid($"failed to parse the request JSON buffer: expected {expected} at {at}");

    public static Fault Json(in JsonCursor failed) => Json(failed.Expected, failed.Position);

    public static Fault EmptyDocument() =>
        Fault.Invalid("failed to parse the request JSON buffer: The document is empty. at 0");

    public static Fault NotA(string kind, string member) =>
        Fault.Invalid($"Unable to parse '{member}': attempt to access JSON non-{kind} as {kind}");

    /// <summary>
    /// As above, for the value that the cursor stands before: where there is none, the JSON itself is bad.
    /// </summary>
    public static Fault NotA(ref JsonCursor json, string kind, string member) =>
        json.Peek() is JsonKind.End or JsonKind.Other ? Json("a value", json.Position) : NotA(kind, member);

    public static Fault Missing(string member, string where) => Fault.Invalid(
        $"Unable to parse '{member}': attempt to access non-existing object member '{member}' of {where}");

    public static Fault Twice(string member, string where) =>
        Fault.Invalid($"'{member}' appears twice in {where}; send it once");

    public static Fault HeaderLength(string value, long bodyLength) =>
        Fault.Invalid($"inference header size should be in range (0, {bodyLength}), got: {value}");

    public static Fault NoHeaderLength() => Fault.Invalid(
        "must specify valid 'Infer-Header-Content-Length' in request header and 'binary_data_size' when passing "
        + "inputs in binary data format");

    public static Fault Leftover(string model, long bytes) => Fault.Invalid(
        $"unexpected additional input data for model '{model}': {bytes} bytes follow the last input");

    public static Fault Short(string input, long missing, string model) => Fault.Invalid(
        $"unexpected size for input '{input}', expecting {missing} additional bytes for model '{model}'");

    public static Fault ByteSize(string input, string model, long expected, long got) => Fault.Invalid(
        $"input byte size mismatch for input '{input}' for model '{model}'. Expected {expected}, got {got}");

    public static Fault UnknownInput(string input, string model) =>
        Fault.Invalid($"unexpected inference input '{input}' for model '{model}'");

    public static Fault UnknownOutput(string output, string model) =>
        Fault.Invalid($"unexpected inference output '{output}' requested for model '{model}'");

    public static Fault Duplicate(string side, string name) =>
        Fault.Invalid($"{side} '{name}' already exists in request");

    public static Fault WrongType(string input, string type, string model, DataType expected) => Fault.Invalid(
        $"inference input '{input}' data-type is '{type}', but model '{model}' expects '{expected.WireName()}'");

    public static Fault UnknownType(string type) =>
        Fault.Invalid($"invalid datatype '{type}'; the protocol knows {DataTypes.AllWireNames}");

    public static Fault WrongShape(TensorSpec spec, string model, in Shape got) => Fault.Invalid(
        $"unexpected shape for input '{spec.Name}' for model '{model}'. Expected {spec.Shape}, got {got}.");

    public static Fault TooManyDimensions(int dimensionsMax) => Fault.Invalid(
        $"Unable to parse 'shape': it has more than {dimensionsMax} dimensions, the most that a tensor may have");

    public static Fault Overflow(string input, in Shape shape) => Fault.Invalid(
        $"element count overflow: the shape {shape} of input '{input}' has more elements than 64 bits can count");

    public static Fault TooLarge(string input, in Shape shape) => new(
        FaultKind.InputTooLarge,
        $"input '{input}' with shape {shape} is larger than {Array.MaxLength} bytes; send fewer rows per request");

    public static Fault ZeroRows(string input, string model) => Fault.Invalid(
        $"inference request batch-size must be >= 1 for '{model}': input '{input}' has 0 rows");

    public static Fault RowsDiffer(string input, string model, long rows, long others) => Fault.Invalid(
        $"input '{input}' batch size does not match other inputs for '{model}': it has {rows}, the others {others}");

    public static Fault DataAndBinary(string input) => Fault.Invalid(
        $"input '{input}' has both 'data' and parameter 'binary_data_size'; send one of them");

    public static Fault Unsupported(string what, string remedy) =>
        new(FaultKind.Unsupported, $"{what} is not supported; {remedy}");

    public static Fault Parameter(string name, string rule) => Fault.Invalid($"parameter '{name}' {rule}");

    /// <summary>What is wrong in a JSON tensor.</summary>
    public static Fault Data(in ScanError error, TensorSpec spec, in Shape shape, long count)
    {
        var element = $"Unable to parse 'data': element {error.Element} of input '{spec.Name}'";
        var type = spec.Type.WireName();
        return error.Kind switch
        {
            ScanErrorKind.Syntax => Json(error.Expected, error.Position),
            ScanErrorKind.TooFew => Count(spec.Name, shape, count, $"holds {error.Element}"),
            ScanErrorKind.TooMany => Count(spec.Name, shape, count, "holds more"),
            ScanErrorKind.WrongKind => Fault.Invalid($"{element} is not {Kind(spec.Type)}, as {type} asks for"),
            ScanErrorKind.NotFinite => Fault.Invalid(
                $"{element} is NaN or Infinity, which JSON does not have; "
                + "send this input in the binary format (parameter 'binary_data_size')"),
            ScanErrorKind.NotWhole => Fault.Invalid(
                $"{element} has a fraction or an exponent; {type} takes whole numbers only"),
            ScanErrorKind.OutOfRange => Fault.Invalid($"{element} is out of the range of {type}"),
            ScanErrorKind.None => throw new ArgumentOutOfRangeException(nameof(error)),
        };
    }

    /// <summary>The count in 'data' is not the shape's.</summary>
    public static Fault Count(string input, in Shape shape, long count, string held) => Fault.Invalid(
        "Unable to parse 'data': Shape does not match true shape of 'data' field: "
        + $"input '{input}' with shape {shape} has {count} elements, its 'data' {held}");

    private static string Kind(DataType type) => type switch
    {
        DataType.Bytes => "a string",
        DataType.Bool => "true, false, 0 or 1",
        _ => "a number",
    };
}
