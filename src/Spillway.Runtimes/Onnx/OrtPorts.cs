using System.Runtime.InteropServices;

namespace Spillway.Runtimes.Onnx;

/// <summary>Reads what a session says of its inputs and outputs, and refuses what cannot be served here.</summary>
internal static unsafe class OrtPorts
{
    private const int TypeTensor = 1;

    /// <summary>
    /// The signature, or a <see cref="FaultKind.LoadFailed"/> that names the port. A dimension without a number is -1.
    /// Batched when the first dimension of every input and output is variable. A port whose rank the file leaves open
    /// reads as a scalar; the native interface does not tell the two apart.
    /// </summary>
    public static Outcome<Signature> Read(OrtLibrary library, nint session, ModelSource source)
    {
        if (!ReadAll(library, session, source, input: true).TryGet(out var inputs, out var fault)
            || !ReadAll(library, session, source, input: false).TryGet(out var outputs, out fault))
            return fault;
        var batched = inputs.Count > 0 && inputs.Concat(outputs).All(static port => port.Shape is { Rank: > 0 } shape && shape[0] < 0);
        return new Signature(inputs, outputs, batched);
    }

    private static Outcome<List<TensorSpec>> ReadAll(OrtLibrary library, nint session, ModelSource source, bool input)
    {
        var api = library.Api;
        nuint count;
        api.Check(api.GetPortCount(session, input, &count));
        if (count > Signature.PortsMax)
            return Bad(source, $"it has {count} {(input ? "inputs" : "outputs")}; at most {Signature.PortsMax} are served");
        var ports = new List<TensorSpec>((int)count);
        for (nuint i = 0; i < count; i++)
        {
            byte* native;
            api.Check(api.GetPortName(session, input, i, library.Allocator, &native));
            var name = Marshal.PtrToStringUTF8((nint)native) ?? "";
            api.Check(api.AllocatorFree(library.Allocator, native));
            nint info;
            api.Check(api.GetPortTypeInfo(session, input, i, &info));
            try
            {
                var title = $"{(input ? "input" : "output")} '{name}'";
                if (!ReadOne(api, info, name, title, source).TryGet(out var port, out var fault))
                    return fault;
                ports.Add(port);
            }
            finally
            {
                api.ReleaseTypeInfo(info);
            }
        }

        return ports;
    }

    private static Outcome<TensorSpec> ReadOne(OrtApi api, nint info, string name, string title, ModelSource source)
    {
        int kind;
        api.Check(api.GetOnnxTypeFromTypeInfo(info, &kind));
        if (kind != TypeTensor)
            return Bad(source, $"its {title} is {KindOf(kind)}; only tensors are served");
        nint tensor;
        int element;
        nuint rank;
        api.Check(api.CastTypeInfoToTensorInfo(info, &tensor));
        api.Check(api.GetTensorElementType(tensor, &element));
        if (!OrtElements.TryFromNative(element, out var type))
        {
            return Bad(source, $"its {title} holds {OrtElements.NameOf(element)}, for which the protocol has no type " +
                $"({DataTypes.AllWireNames})");
        }

        api.Check(api.GetDimensionsCount(tensor, &rank));
        if (rank > Shape.RankMax)
            return Bad(source, $"its {title} has {rank} dimensions; at most {Shape.RankMax} are served");
        var dims = stackalloc long[Shape.RankMax];
        api.Check(api.GetDimensions(tensor, dims, rank));
        var shape = new Shape(new ReadOnlySpan<long>(dims, (int)rank));
        for (var i = 0; i < shape.Rank; i++)
            shape[i] = Math.Max(-1, shape[i]);
        return new TensorSpec(name, type, shape);
    }

    /// <summary>ONNXType in words.</summary>
    private static string KindOf(int kind) => kind switch
    {
        2 => "a sequence",
        3 => "a map",
        5 => "a sparse tensor",
        6 => "optional",
        _ => "of an unknown kind",
    };

    private static Fault Bad(ModelSource source, string why) => new(
        FaultKind.LoadFailed, $"Model '{source.Name}' in '{source.File}' cannot be served: {why}. Export the model without it.");
}
