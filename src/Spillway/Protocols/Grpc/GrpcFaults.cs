using System.Text;

namespace Spillway.Protocols.Grpc;

/// <summary>The texts of requests that are refused for what only gRPC has; the others are shared with REST.</summary>
internal static class GrpcFaults
{
    private const int ShownMax = 100;

    /// <summary>Not protobuf, or not of the message's definition.</summary>
    public static Fault Broken(string what, in WireReader at) => new(
        FaultKind.InputIncomplete,
        $"The message is incomplete or broken: {what} is no valid protobuf at byte {at.Position}.");

    public static Fault RawCount(int raw, int inputs) => Fault.Invalid(
        $"expected {inputs} raw_input_contents, one for each input and in their order, but got {raw}");

    public static Fault RawAndContents(string input, string model) => Fault.Invalid(
        $"contents field must not be specified when using raw_input_contents for '{input}' for model '{model}'");

    public static Fault RawOnly(TensorSpec spec) => Fault.Invalid(
        $"input '{spec.Name}' has the data-type {spec.Type.WireName()}, for which the protocol has no contents field; "
        + "send it in raw_input_contents");

    public static Fault ContentsField(TensorSpec spec, string wanted, int got) => Fault.Invalid(
        $"input '{spec.Name}' with data-type {spec.Type.WireName()} takes its values from {wanted}, and its contents "
        + $"have field {got}");

    public static Fault ContentsCount(TensorSpec spec, in Shape shape, long count, long got) => Fault.Invalid(
        $"input '{spec.Name}' with shape {shape} has {count} elements, its contents hold {got}");

    public static Fault OutOfRange(TensorSpec spec, long element) => Fault.Invalid(
        $"element {element} of input '{spec.Name}' is out of the range of {spec.Type.WireName()}");

    /// <summary>A name from the wire, for a text.</summary>
    public static string Shown(ReadOnlySpan<byte> utf8) =>
        utf8.Length <= ShownMax ? Encoding.UTF8.GetString(utf8) : Encoding.UTF8.GetString(utf8[..ShownMax]) + "…";
}
