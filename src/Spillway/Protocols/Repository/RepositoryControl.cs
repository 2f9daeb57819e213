using Spillway.Protocols.Access;
using System.Runtime.InteropServices;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Spillway.Config;
using Spillway.Protocols.Admin;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Repository;

/// <summary>
/// Loads and unloads models for callers, the same for every protocol. Who may is the repository's to say, and is asked
/// before a body is read.
/// </summary>
internal sealed class RepositoryControl(ServerContext server)
{
    /// <summary>Null, or why models cannot be loaded or unloaded here.</summary>
    /// <param name="verb">"load" or "unload".</param>
    /// <param name="name">The model, as the caller wrote it.</param>
    public Fault? Check(string verb, string name)
    {
        if (!ModelChecks.IsName(name))
        {
            return new(
                FaultKind.UnknownModel,
                $"failed to {verb} '{ErrorList.Clean(name, 128)}', that is no model's name: it has 1 to 128 letters, "
                + "digits, dots, underscores and dashes.");
        }

        return server.Serving.Repository is { } repository
            ? repository.NotExplicit($"{verb} '{name}'")
            : new(
                FaultKind.Unsupported,
                $"failed to {verb} '{name}': this server has no model repository. Set repository.path and "
                + "repository.modelControl: explicit.");
    }

    /// <summary>Loads; to be asked after <see cref="Check"/>.</summary>
    public ValueTask<Fault?> LoadAsync(LoadParameters parameters) => server.AuditedAsync(
        Administrator.Present, "model.load", parameters.Model, () => LoadUnheardAsync(parameters));

    private async ValueTask<Fault?> LoadUnheardAsync(LoadParameters parameters)
    {
        if (!parameters.TakeOut().TryGet(out var files, out var fault))
            return fault;
        return await server.Serving.Repository!.LoadAsync(parameters.Model, parameters.Config, files)
            .ConfigureAwait(false);
    }

    /// <summary>Unloads; to be asked after <see cref="Check"/>.</summary>
    public Task<Fault?> UnloadAsync(string name) => server.AuditedAsync(
        Administrator.Present, "model.unload", name, () => new(server.Serving.Repository!.UnloadAsync(name))).AsTask();

    /// <summary>Loads or unloads as a JSON body says, which may be empty.</summary>
    public async ValueTask<Fault?> ChangeAsync(HttpContext http, bool loads, string name)
    {
        if (Check(loads ? "load" : "unload", name) is { } refused)
            return refused;
        var (body, fault) = await RequestBody.ReadAsync(http, server).ConfigureAwait(false);
        try
        {
            // The body is held until the end: so what uploads take on disk meanwhile is bounded with it.
            return fault ?? (loads
                ? await LoadAsync(Json(body), name).ConfigureAwait(false)
                : Read(Json(body), ReadUnload) ?? await UnloadAsync(name).ConfigureAwait(false));
        }
        finally
        {
            body.Discard(server);
        }
    }

    /// <summary>Reads a body that is empty or an object; null, or what is wrong with it.</summary>
    public static Fault? Read(ReadOnlyMemory<byte> body, Func<JsonElement, Fault?> read)
    {
        if (body.IsEmpty)
            return null;
        try
        {
            using var json = JsonDocument.Parse(body);
            return json.RootElement.ValueKind is JsonValueKind.Object
                ? read(json.RootElement)
                : RequestFaults.NotA("object", "the request");
        }
        catch (JsonException bad)
        {
            return Fault.Invalid(
                $"failed to parse the request JSON buffer: line {bad.LineNumber + 1}, byte {bad.BytePositionInLine} "
                + "is not JSON");
        }
        catch (InvalidOperationException)
        {
            // What a string with half a surrogate pair, or with bytes that are no UTF-8, is read with.
            return Fault.Invalid("failed to parse the request JSON buffer: a string in it is no valid Unicode");
        }
    }

    /// <summary>The bytes of a body, without the room before it.</summary>
    public static ReadOnlyMemory<byte> Json(in RequestBody body) =>
        body.Length == 0 ? default : body.Memory[RequestBody.Headroom..];

    private async ValueTask<Fault?> LoadAsync(ReadOnlyMemory<byte> body, string name)
    {
        using var parameters = new LoadParameters(name);
        return Read(body, root => ReadLoad(root, parameters)) ?? await LoadAsync(parameters).ConfigureAwait(false);
    }

    private static Fault? ReadLoad(JsonElement root, LoadParameters into)
    {
        if (!root.TryGetProperty("parameters"u8, out var parameters))
            return null;
        if (parameters.ValueKind is not JsonValueKind.Object)
            return RequestFaults.NotA("object", "parameters");
        foreach (var member in parameters.EnumerateObject())
        {
            if (ReadLoad(member, into) is { } fault)
                return fault;
        }

        return null;
    }

    private static Fault? ReadLoad(JsonProperty member, LoadParameters into)
    {
        var isFile = member.Name.StartsWith("file:", StringComparison.Ordinal);
        if (!isFile && member.Name is not "config")
            return into.Unknown(member.Name);
        if (member.Value.ValueKind is not JsonValueKind.String)
            return into.WrongKind(member.Name, isFile ? "a string of base64" : "a string: the configuration as JSON text");
        // The text as it lies in the body, for files of any size are not copied.
        return isFile
            ? into.TakeFile(member.Name, JsonMarshal.GetRawUtf8Value(member.Value)[1..^1], isBase64: true)
            : into.TakeConfig(System.Text.Encoding.UTF8.GetBytes(member.Value.GetString()!));
    }

    /// <summary>No model depends on another here, so unload_dependents is right with either value.</summary>
    private static Fault? ReadUnload(JsonElement root)
    {
        if (!root.TryGetProperty("parameters"u8, out var parameters))
            return null;
        if (parameters.ValueKind is not JsonValueKind.Object)
            return RequestFaults.NotA("object", "parameters");
        foreach (var member in parameters.EnumerateObject())
        {
            if (member.Name is not "unload_dependents")
                return RequestFaults.Parameter(ErrorList.Clean(member.Name, 100), "is unknown; there is unload_dependents");
            if (member.Value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
                return RequestFaults.Parameter(member.Name, "must be true or false");
        }

        return null;
    }
}
