using System.Text;

namespace Spillway.Runtimes.Onnx.Cache;

/// <summary>
/// Finds the files beside an ONNX model that hold its weights (TensorProto.external_data): they belong to what the
/// model is. Passes over whatever it does not need; a file that is no protobuf has none.
/// </summary>
internal sealed class ExternalFiles
{
    /// <summary>Most files, as many as a model in a repository may bring along; the longest path of Linux.</summary>
    private const int FilesMax = 10_000, LocationBytesMax = 4096;

    /// <summary>How deep graphs may lie inside graphs, and messages inside each of them.</summary>
    private const int GraphsMax = 16, DepthMax = GraphsMax * 4;

    private const int DataLocation = 14, ExternalData = 13;

    private static readonly string s_tooMany = $"names more than {FilesMax:N0} files of weights";

    private readonly ProtoFields _fields;
    private readonly SortedSet<string> _found = new(StringComparer.Ordinal);
    private string _problem = "";

    private ExternalFiles(ModelFile model) => _fields = new(model);

    private enum Part
    {
        None, Model, Graph, Function, Node, Attribute, Tensor, Sparse,
    }

    /// <summary>Paths as the model names them; null with what is wrong when they cannot all be told.</summary>
    public static IReadOnlyCollection<string>? Find(ModelFile model, out string problem)
    {
        if (model.Length > int.MaxValue)
        {
            problem = "is larger than 2 GiB, which no ONNX file can be; keep its weights in files beside it";
            return null;
        }

        var files = new ExternalFiles(model);
        var whole = files.Walk(0, model.Length, Part.Model, DepthMax);
        problem = files._problem;
        return whole ? files._found : null;
    }

    private bool Walk(long at, long end, Part part, int depth)
    {
        if (depth == 0)
            return Give($"nests graphs deeper than {GraphsMax}, which no real model does");
        if (part == Part.Tensor)
            return Tensor(at, end);
        while (_fields.TryNext(ref at, end, out var field))
        {
            if (field.HasBody && Inside(part, field.Number) is not Part.None and var inner
                && !Walk(field.From, field.To, inner, depth - 1))
                return false;
        }

        return true;
    }

    /// <summary>What a field of a message holds, by the numbers of onnx.proto3.</summary>
    private static Part Inside(Part part, int field) => (part, field) switch
    {
        (Part.Model, 7) => Part.Graph,
        (Part.Model, 25) => Part.Function,
        (Part.Graph, 1) or (Part.Function, 7) => Part.Node,
        (Part.Graph, 5) => Part.Tensor,
        (Part.Graph, 15) => Part.Sparse,
        (Part.Node, 5) or (Part.Function, 11) => Part.Attribute,
        (Part.Attribute, 5 or 10) => Part.Tensor,
        (Part.Attribute, 6 or 11) => Part.Graph,
        (Part.Attribute, 22 or 23) => Part.Sparse,
        (Part.Sparse, 1 or 2) => Part.Tensor,
        _ => Part.None,
    };

    /// <summary>Its location counts only when it says that its data is external, as in the library.</summary>
    private bool Tensor(long at, long end)
    {
        var external = false;
        List<string> locations = [];
        while (_fields.TryNext(ref at, end, out var field))
        {
            if (field is { Number: DataLocation, HasBody: false })
                external |= (int)field.Value == 1;
            else if (field is { Number: ExternalData, HasBody: true } && !Entry(field.From, field.To, locations))
                return false;
        }

        if (external)
            _found.UnionWith(locations);
        return _found.Count <= FilesMax || Give(s_tooMany);
    }

    private bool Entry(long at, long end, List<string> locations)
    {
        ProtoField key = default, value = default;
        while (_fields.TryNext(ref at, end, out var field))
        {
            if (field is { Number: 1, HasBody: true })
                key = field;
            else if (field is { Number: 2, HasBody: true })
                value = field;
        }

        if (Text(key, "location".Length) != "location")
            return true;
        if (Text(value, LocationBytesMax) is not { } location)
            return Give($"names a file of weights with more than {LocationBytesMax:N0} bytes");
        locations.Add(location);
        return locations.Count <= FilesMax || Give(s_tooMany);
    }

    private string? Text(ProtoField field, int most)
    {
        if (field.To - field.From > most)
            return null;
        var bytes = new byte[field.To - field.From];
        return Encoding.UTF8.GetString(bytes.AsSpan(0, _fields.Read(bytes, field.From)));
    }

    private bool Give(string problem)
    {
        _problem = problem;
        return false;
    }
}
