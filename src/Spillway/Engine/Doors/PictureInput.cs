using System.Runtime.InteropServices;
using Spillway.Flow;
using Spillway.Transforms.Picture;

namespace Spillway.Engine.Doors;

/// <summary>
/// BYTES [-1] of PNG pictures in place of a model's input float32 [batch, channels, height, width]. Pictures of one
/// request are padded on the right to the widest of them.
/// </summary>
/// <param name="options">As model.yaml declares it.</param>
internal sealed class PictureInput(PictureOptions options) : IInputStage
{
    private int _port;
    private DataType _type;

    public Outcome<IReadOnlyList<TensorSpec>> Bind(Signature model)
    {
        var port = model.FindInput(System.Text.Encoding.UTF8.GetBytes(options.To));
        if (port < 0)
            return Unfit($"picture.to names '{options.To}'; the model's inputs are {Names(model)}");
        if (model.Inputs.Count != 1)
            return Unfit($"picture needs a model with one input; this one has {Names(model)}");
        var spec = model.Inputs[port];
        var wanted = new Shape([1, PictureTensor.Planes(options), options.Height, options.WidthMin]);
        if (spec.Type is not DataType.Float32 || spec.Shape.Rank != 4 || !spec.Accepts(wanted) || !model.Batched)
            return Unfit($"picture makes FP32 {wanted} and more; the model's input {spec.Name} is {spec.Type.WireName()} {spec.Shape}");
        (_port, _type) = (port, spec.Type);
        return new TensorSpec[] { new(options.Name, DataType.Bytes, new([-1])) };
    }

    public Outcome<Claim> Measure(TensorSet inputs, Claim claim)
    {
        var (width, index) = (0, 0);
        foreach (var png in new ByteStrings(inputs[0].Data))
        {
            if (!PngHeader.Read(png.Span).TryGet(out var header, out var fault)
                || !PictureTensor.Measure(header, options).TryGet(out var own, out fault))
                return Name(fault, index, claim.Rows);
            width = Math.Max(width, own);
            index++;
        }

        var elements = (long)claim.Rows * Elements(width);
        return elements * sizeof(float) > int.MaxValue
            ? Fault.Invalid($"The {claim.Rows} pictures need {elements:N0} values of 4 bytes; "
                + $"at most {int.MaxValue / sizeof(float):N0} are taken at once. Send fewer at a time.")
            : claim with { Elements = elements, Form = new([width]) };
    }

    public Fault? Decode(TensorSet inputs, TensorSet into)
    {
        var rows = (int)inputs[0].Shape[0];
        var width = 0;
        foreach (var png in new ByteStrings(inputs[0].Data))
            width = Math.Max(width, PictureTensor.Measure(PngHeader.Read(png.Span).Value, options).Value);
        var one = (int)Elements(width);
        var data = into.Rent(rows * one * sizeof(float));
        var index = 0;
        foreach (var png in new ByteStrings(inputs[0].Data))
        {
            var target = MemoryMarshal.Cast<byte, float>(data.Span).Slice(index * one, one);
            if (PictureTensor.Decode(png, PngHeader.Read(png.Span).Value, options, target, width) is { } fault)
                return Name(fault, index, rows);
            index++;
        }

        ref var tensor = ref into.Add();
        (tensor.Port, tensor.Type, tensor.Data) = (_port, _type, data);
        tensor.Shape = new([rows, PictureTensor.Planes(options), options.Height, width]);
        return null;
    }

    private long Elements(int width) => (long)PictureTensor.Planes(options) * options.Height * width;

    private static Fault Name(Fault fault, int index, int count) =>
        count == 1 ? fault : fault with { Message = $"Picture {index} of {count}: {fault.Message}" };

    private static Fault Unfit(string why) => new(FaultKind.LoadFailed, why + ".");

    private static string Names(Signature model) => string.Join(", ", model.Inputs.Select(i => i.Name));
}
