using System.Text;
using Spillway.Protocols.Repository;

namespace Spillway.Protocols.Grpc;

/// <summary>The model repository extension over gRPC: index, load, unload.</summary>
internal sealed class RepositoryCalls(ServerContext server)
{
    private readonly RepositoryControl _control = new(server);

    /// <summary>Offers its calls.</summary>
    public void AddTo(Dictionary<string, PlainCall> calls)
    {
        calls.Add("RepositoryIndex", Index);
        calls.Add("RepositoryModelLoad", (message, _, _) => LoadAsync(message));
        calls.Add("RepositoryModelUnload", (message, _, _) => UnloadAsync(message));
    }

    private ValueTask<Fault?> Index(ReadOnlyMemory<byte> message, WireBuffer into, CancellationToken cancellation)
    {
        var wire = new WireReader(message.Span);
        var (readyOnly, named) = (false, false);
        while (wire.Next(out var field))
        {
            if (field == 1)
                named = !wire.Bytes().IsEmpty;
            else if (field == 2)
                readyOnly = wire.Whole() != 0;
            else
                wire.Skip();
        }

        if (wire.Failed)
            return new(GrpcFaults.Broken("RepositoryIndexRequest", wire));
        if (named)
            return new(Named());
        foreach (var row in RepositoryIndex.List(server.Serving, readyOnly))
        {
            var entry = into.Begin(1);
            into.Text(1, row.Name);
            into.Text(2, row.Version);
            into.Text(3, row.State);
            into.Text(4, row.Reason);
            into.End(entry);
        }

        return default;
    }

    private async ValueTask<Fault?> LoadAsync(ReadOnlyMemory<byte> message)
    {
        if (ReadName(message.Span, "load", out var name) is { } refused)
            return refused;
        using var parameters = new LoadParameters(name);
        return ReadParameters(message.Span, parameters) ?? await _control.LoadAsync(parameters).ConfigureAwait(false);
    }

    /// <summary>
    /// Its one parameter, unload_dependents, is right with either value: no model depends on another.
    /// </summary>
    private async ValueTask<Fault?> UnloadAsync(ReadOnlyMemory<byte> message) =>
        ReadName(message.Span, "unload", out var name) ?? await _control.UnloadAsync(name).ConfigureAwait(false);

    /// <summary>The model's name, when it may be loaded and unloaded here.</summary>
    private Fault? ReadName(ReadOnlySpan<byte> message, string verb, out string name)
    {
        name = "";
        var named = false;
        ReadOnlySpan<byte> model = [];
        var wire = new WireReader(message);
        while (wire.Next(out var field))
        {
            if (field == 1)
                named = !wire.Bytes().IsEmpty;
            else if (field == 2)
                model = wire.Bytes();
            else
                wire.Skip();
        }

        if (wire.Failed)
            return GrpcFaults.Broken("the request", wire);
        // Longer than any name: what is cut off is refused.
        name = Encoding.UTF8.GetString(model[..Math.Min(model.Length, 512)]);
        return named ? Named() : _control.Check(verb, name);
    }

    private static Fault? ReadParameters(ReadOnlySpan<byte> message, LoadParameters into)
    {
        var wire = new WireReader(message);
        while (wire.Next(out var field))
        {
            if (field != 3)
                wire.Skip();
            else if (ReadParameter(wire.Bytes(), into) is { } fault)
                return fault;
        }

        return wire.Failed ? GrpcFaults.Broken("the request", wire) : null;
    }

    /// <summary>An entry of map&lt;string, ModelRepositoryParameter&gt;.</summary>
    private static Fault? ReadParameter(ReadOnlySpan<byte> entry, LoadParameters into)
    {
        var wire = new WireReader(entry);
        if (!wire.Entry(out var key, out var value))
            return GrpcFaults.Broken("a parameter", wire);
        // Longer than any place of a file may be, so that what is cut off is refused.
        const int LongestName = 4096;
        var name = Encoding.UTF8.GetString(key[..Math.Min(key.Length, LongestName)]);
        var isFile = name.StartsWith("file:", StringComparison.Ordinal);
        if (!isFile && name is not "config")
            return into.Unknown(name);
        if (!TryValue(value, isFile ? 4 : 3, out var content))
            return into.WrongKind(name, isFile ? "bytes: bytes_param" : "text: string_param");
        return isFile ? into.TakeFile(name, content, isBase64: false) : into.TakeConfig(content);
    }

    private static bool TryValue(ReadOnlySpan<byte> parameter, int choice, out ReadOnlySpan<byte> content)
    {
        content = [];
        var found = false;
        var wire = new WireReader(parameter);
        while (wire.Next(out var field))
        {
            found = field == choice;
            if (found)
                content = wire.Bytes();
            else
                wire.Skip();
        }

        return found && !wire.Failed;
    }

    private static Fault Named() => new(
        FaultKind.Unsupported, "'repository_name' specification is not supported: leave it empty.");
}
