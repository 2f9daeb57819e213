using System.Text.Json;
using Spillway.Config;
using Spillway.Engine.Access;
using Spillway.Policies.Identity;

namespace Spillway.Protocols.Admin;

/// <summary>Keys on the wire of the admin protocol: orders in, what is known of keys out.</summary>
internal static class KeysJson
{
    private static readonly string[] s_order =
        [
        "tenant", "environment", "name", "roles", "models", "label_only", "top_k", "decimals", "criticality",
        "lifetime_s",
    ];

    private static readonly string[] s_rotation = ["grace_s"];

    /// <summary>Writes a key, and its text where it was just made.</summary>
    public static void Write(Utf8JsonWriter json, AccessKey key, string? text = null)
    {
        json.WriteStartObject();
        if (text is not null)
            json.WriteString("key", text);
        json.WriteString("id", key.Id);
        json.WriteString("environment", key.Environment);
        json.WriteString("tenant", key.Tenant);
        json.WriteString("name", key.Name);
        Strings(json, "roles", RoleWords.Of(key.Roles));
        if (key.Models is not null)
            Strings(json, "models", key.Models);
        if (key.Detail.LabelOnly)
            json.WriteBoolean("label_only", true);
        Number(json, "top_k", key.Detail.TopK);
        Number(json, "decimals", key.Detail.Decimals);
        if (key.Criticality is not Criticality.Critical)
            json.WriteString("criticality", CriticalityWords.Of(key.Criticality));
        Time(json, "created", key.Created);
        Time(json, "expires", key.Expires);
        Time(json, "rotated", key.Rotated);
        Time(json, "previous_until", key.PreviousUntil);
        Time(json, "revoked", key.Revoked);
        Time(json, "last_used", key.LastUsed);
        json.WriteEndObject();
    }

    /// <summary>Reads an order; a fault names the member that is wrong or unknown.</summary>
    public static Outcome<KeyOrder> ReadOrder(JsonElement root)
    {
        var order = new KeyOrder { Tenant = "" };
        foreach (var member in root.EnumerateObject())
        {
            if (!Read(order, member.Name, member.Value).TryGet(out order!, out var fault))
                return fault;
        }

        return order.Tenant.Length > 0 ? order
            : Fault.Invalid("'tenant' is missing: say who pays, as {\"tenant\": \"team-a\"}.");
    }

    /// <summary>Reads the grace of a rotation: {"grace_s": 86400}.</summary>
    public static Outcome<TimeSpan> ReadGrace(JsonElement root, TimeSpan usual, TimeSpan max)
    {
        var grace = usual;
        foreach (var member in root.EnumerateObject())
        {
            if (member.Name != "grace_s")
                return Unknown(member.Name, s_rotation);
            if (!Seconds(member.Value, max).TryGet(out grace, out var fault))
                return Fault.Invalid($"'grace_s' {fault.Message}");
        }

        return grace;
    }

    private static Outcome<KeyOrder> Read(KeyOrder order, string name, JsonElement value)
    {
        Fault? fault = null;
        order = name switch
        {
            "tenant" => order with { Tenant = Text(name, value, ref fault) },
            "environment" => order with { Environment = Text(name, value, ref fault) },
            "name" => order with { Name = Text(name, value, ref fault) },
            "roles" => order with { Roles = ReadRoles(Texts(name, value, ref fault), ref fault) },
            "models" => order with { Models = Texts(name, value, ref fault) },
            "label_only" => order with { Detail = order.Detail with { LabelOnly = Flag(name, value, ref fault) } },
            "top_k" => order with { Detail = order.Detail with { TopK = Whole(name, value, ref fault) } },
            "decimals" => order with { Detail = order.Detail with { Decimals = Whole(name, value, ref fault) } },
            "criticality" => order with { Criticality = ReadClass(Text(name, value, ref fault), ref fault) },
            "lifetime_s" => order with { Lifetime = Lifetime(value, ref fault) },
            _ => Unknown(name, ref fault, order),
        };
        return fault is null ? order : fault;
    }

    private static Roles ReadRoles(string[] words, ref Fault? fault)
    {
        var roles = Roles.None;
        foreach (var word in words)
        {
            if (RoleWords.TryParse(word, out var role))
            {
                roles |= role;
                continue;
            }

            var near = Suggestion.Nearest(word, RoleWords.All);
            var all = string.Join(", ", RoleWords.All);
            fault ??= Fault.Invalid($"'roles' has '{ErrorList.Clean(word)}': known are {all}"
                + (near.Length > 0 ? $"; did you mean {near}?" : "."));
        }

        return roles;
    }

    private static Criticality ReadClass(string word, ref Fault? fault)
    {
        if (!CriticalityWords.TryParse(word, out var criticality))
        {
            fault ??= Fault.Invalid(
                $"'criticality' is '{ErrorList.Clean(word)}': give {string.Join(", ", CriticalityWords.All)}.");
        }

        return criticality;
    }

    private static TimeSpan Lifetime(JsonElement value, ref Fault? fault)
    {
        if (Seconds(value, TimeSpan.FromDays(3660)).TryGet(out var time, out var wrong))
            return time;
        fault ??= Fault.Invalid($"'lifetime_s' {wrong.Message}");
        return default;
    }

    private static Outcome<TimeSpan> Seconds(JsonElement value, TimeSpan max) =>
        value.ValueKind is JsonValueKind.Number && value.TryGetInt64(out var seconds) && seconds >= 0
        && seconds <= max.TotalSeconds
            ? TimeSpan.FromSeconds(seconds)
            : Fault.Invalid($"must be a whole number of seconds, 0 to {max.TotalSeconds:0}.");

    private static string Text(string name, JsonElement value, ref Fault? fault)
    {
        if (value.ValueKind is JsonValueKind.String)
            return value.GetString()!;
        fault ??= Fault.Invalid($"'{name}' must be a string.");
        return "";
    }

    private static string[] Texts(string name, JsonElement value, ref Fault? fault)
    {
        if (value.ValueKind is JsonValueKind.Array && value.GetArrayLength() <= KeyOrder.ModelsMax
            && value.EnumerateArray().All(v => v.ValueKind is JsonValueKind.String))
            return [.. value.EnumerateArray().Select(v => v.GetString()!)];
        fault ??= Fault.Invalid($"'{name}' must be a list of at most {KeyOrder.ModelsMax} strings.");
        return [];
    }

    private static bool Flag(string name, JsonElement value, ref Fault? fault)
    {
        if (value.ValueKind is not (JsonValueKind.True or JsonValueKind.False))
            fault ??= Fault.Invalid($"'{name}' must be true or false.");
        return value.ValueKind is JsonValueKind.True;
    }

    private static int Whole(string name, JsonElement value, ref Fault? fault)
    {
        if (value.ValueKind is JsonValueKind.Number && value.TryGetInt32(out var number))
            return number;
        fault ??= Fault.Invalid($"'{name}' must be a whole number.");
        return 0;
    }

    private static KeyOrder Unknown(string name, ref Fault? fault, KeyOrder order)
    {
        fault ??= Unknown(name, s_order);
        return order;
    }

    private static Fault Unknown(string name, string[] known)
    {
        var near = Suggestion.Nearest(name, known);
        return Fault.Invalid($"'{ErrorList.Clean(name)}' is unknown"
            + (near.Length > 0 ? $"; did you mean {near}? " : ". ") + $"Known here: {string.Join(", ", known)}.");
    }

    private static void Strings(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter json, string name, int? value)
    {
        if (value is { } number)
            json.WriteNumber(name, number);
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? value)
    {
        if (value is { } time)
            json.WriteString(name, time.UtcDateTime);
    }
}
