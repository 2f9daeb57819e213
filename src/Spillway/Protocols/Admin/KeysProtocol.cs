using System.Text.Json;
using Spillway.Engine.Access;
using Spillway.Protocols.Repository;

namespace Spillway.Protocols.Admin;

/// <summary>
/// The paths of keys, whoever asks: the admin protocol of a running server, and the command line beside a stopped one.
/// </summary>
internal static class KeysProtocol
{
    /// <summary>The path, behind the admin protocol's root.</summary>
    public const string Root = "keys";

    /// <summary>How long a former secret works on when nobody says otherwise.</summary>
    public static readonly TimeSpan GraceUsual = TimeSpan.FromDays(1);

    /// <summary>The longest that it may.</summary>
    public static readonly TimeSpan GraceMax = TimeSpan.FromDays(90);

    /// <summary>Whether a path is one of these.</summary>
    public static bool Owns(string rest) =>
        rest == Root || rest.StartsWith($"{Root}/", StringComparison.Ordinal);

    /// <summary>The method that fits a path: "GET, POST" or "POST"; null when there is no such path.</summary>
    public static string? Methods(string rest) => rest.Split('/') switch
    {
        [Root] => "GET, POST",
        [Root, _, "rotate" or "revoke"] => "POST",
        _ => null,
    };

    /// <summary>Carries out one request; what to answer, or why not.</summary>
    /// <param name="keys">The keys.</param>
    /// <param name="rest">The path, one of those that <see cref="Methods"/> knows.</param>
    /// <param name="isRead">Whether it is a GET.</param>
    /// <param name="body">JSON; may be empty.</param>
    public static Outcome<KeysAnswer> Ask(KeyRing keys, string rest, bool isRead, ReadOnlyMemory<byte> body)
    {
        if (isRead)
            return new KeysAnswer("", null, json => WriteAll(json, keys.List()));
        Outcome<KeysAnswer> answer = Fault.Invalid(
            "The body is empty: say what the key is to be, at least its tenant.");
        var parts = rest.Split('/');
        if (body.IsEmpty && parts is not [Root])
            body = "{}"u8.ToArray();
        var broken = RepositoryControl.Read(body, root =>
        {
            answer = parts switch
            {
                [_, var id, "rotate"] => Rotate(keys, id, root),
                [_, var id, _] => Revoke(keys, id),
                _ => Create(keys, root),
            };
            return null;
        });
        return broken is null ? answer : broken;
    }

    private static Outcome<KeysAnswer> Create(KeyRing keys, JsonElement root)
    {
        if (!KeysJson.ReadOrder(root).TryGet(out var order, out var wrong))
            return wrong;
        return keys.Create(order).TryGet(out var issued, out var fault) ? Answer("created", issued) : fault;
    }

    private static Outcome<KeysAnswer> Rotate(KeyRing keys, string id, JsonElement root)
    {
        if (!KeysJson.ReadGrace(root, GraceUsual, GraceMax).TryGet(out var grace, out var wrong))
            return wrong;
        return keys.Rotate(id, grace).TryGet(out var issued, out var fault) ? Answer("rotated", issued) : fault;
    }

    private static Outcome<KeysAnswer> Revoke(KeyRing keys, string id) =>
        keys.Revoke(id).TryGet(out var key, out var fault)
        ? new KeysAnswer("revoked", key, json => KeysJson.Write(json, key))
        : fault;

    private static KeysAnswer Answer(string what, IssuedKey issued) =>
        new(what, issued.Key, json => KeysJson.Write(json, issued.Key, issued.Text));

    private static void WriteAll(Utf8JsonWriter json, IReadOnlyList<AccessKey> keys)
    {
        json.WriteStartObject();
        json.WriteStartArray("keys");
        foreach (var key in keys)
            KeysJson.Write(json, key);
        json.WriteEndArray();
        json.WriteEndObject();
    }
}

/// <summary>What a request for keys came to.</summary>
/// <param name="What">What happened to the key: created, rotated, revoked; empty for a list.</param>
/// <param name="Key">The key; null for a list.</param>
/// <param name="Write">Writes the answer.</param>
internal sealed record KeysAnswer(string What, AccessKey? Key, Action<Utf8JsonWriter> Write);
