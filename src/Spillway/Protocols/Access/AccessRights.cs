using System.Collections.Frozen;
using System.Text;
using Spillway.Config;
using Spillway.Policies.Identity;
using Spillway.Protocols.OpenInference;

namespace Spillway.Protocols.Access;

/// <summary>
/// What a caller may do, asked where it is known what it wants. Without keys everybody may do everything.
/// </summary>
internal static class AccessRights
{
    /// <summary>Longer names are not served; they are cut for the message only.</summary>
    private const int NameMax = 128;

    /// <summary>Who may use an endpoint of the protocol; any of these roles will do.</summary>
    public static Roles Of(OpenInferenceEndpoint endpoint, string method) => endpoint switch
    {
        OpenInferenceEndpoint.Live or OpenInferenceEndpoint.Ready => Roles.None,
        OpenInferenceEndpoint.Infer => Roles.Caller,
        OpenInferenceEndpoint.TraceSetting or OpenInferenceEndpoint.ModelTraceSetting
            or OpenInferenceEndpoint.LogSetting => method is "POST" ? Roles.Operator : Roles.Caller | Roles.Operator,
        OpenInferenceEndpoint.RepositoryLoad or OpenInferenceEndpoint.RepositoryUnload
            or OpenInferenceEndpoint.NamedRepository => Roles.Operator,
        OpenInferenceEndpoint.Server or OpenInferenceEndpoint.Models or OpenInferenceEndpoint.Model
            or OpenInferenceEndpoint.ModelReady or OpenInferenceEndpoint.AllStatistics
            or OpenInferenceEndpoint.ModelStatistics or OpenInferenceEndpoint.ModelConfig
            or OpenInferenceEndpoint.RepositoryIndex => Roles.Caller | Roles.Operator,
    };

    /// <summary>Who may make a gRPC call.</summary>
    /// <param name="call">Its name behind the service's.</param>
    public static Roles OfCall(ReadOnlySpan<char> call) => call switch
    {
        "ServerLive" or "ServerReady" => Roles.None,
        "ModelInfer" or "ModelStreamInfer" => Roles.Caller,
        "RepositoryModelLoad" or "RepositoryModelUnload" or "TraceSetting" or "LogSettings" => Roles.Operator,
        _ => Roles.Caller | Roles.Operator,
    };

    /// <summary>Who may use a path of the admin protocol: what is only read of audit and costs, auditors too.</summary>
    /// <param name="rest">The path behind /admin/v1/.</param>
    /// <param name="isRead">Whether it is a GET.</param>
    public static Roles OfAdmin(ReadOnlySpan<char> rest, bool isRead)
    {
        var first = rest.IndexOf('/') is >= 0 and var slash ? rest[..slash] : rest;
        return isRead && first is "audit" or "costs" ? Roles.Operator | Roles.Auditor : Roles.Operator;
    }

    /// <summary>Null when the caller has one of the roles.</summary>
    public static Fault? Need(ServerContext server, Caller caller, Roles roles)
    {
        if (roles == Roles.None || (caller.Roles & roles) != 0)
            return null;
        server.Access?.Counts.Refused(Refusal.Role);
        return new(FaultKind.Forbidden, $"This needs the role {string.Join(" or ", RoleWords.Of(roles))}; "
            + $"{Who(caller)} "
            + $"has {Words(caller.Roles)}. Its operator makes a key with it: spillway keys create --role.");
    }

    /// <summary>
    /// Null when the caller may ask for a served name. Asked before it is looked up, so that who may not learns nothing
    /// of what is there.
    /// </summary>
    public static Fault? Model(ServerContext server, Caller caller, ReadOnlySpan<char> model)
    {
        if (caller.Models is not { } models)
            return null;
        if (models is FrozenSet<string> set ? set.GetAlternateLookup<ReadOnlySpan<char>>().Contains(model)
            : models.Contains(model.ToString()))
            return null;
        server.Access?.Counts.Refused(Refusal.Model);
        var name = ErrorList.Clean(model[..Math.Min(model.Length, NameMax)].ToString());
        return new(FaultKind.Forbidden, $"{Capital(Who(caller))} may not use the model '{name}': it is for "
            + $"{string.Join(", ", models.Order(StringComparer.Ordinal).Take(20))}.");
    }

    /// <summary>As the other overload, of a name as it stands in a message.</summary>
    public static Fault? Model(ServerContext server, Caller caller, ReadOnlySpan<byte> model)
    {
        if (caller.Models is null)
            return null;
        Span<char> name = stackalloc char[NameMax + 1];
        return Model(server, caller, name[..Encoding.UTF8.GetChars(
            model[..Math.Min(model.Length, NameMax + 1)], name)]);
    }

    /// <summary>Null when the caller may use every model, which is needed to list what is there.</summary>
    public static Fault? Everything(ServerContext server, Caller caller)
    {
        if (caller.Models is not { } models)
            return null;
        server.Access?.Counts.Refused(Refusal.Model);
        return new(FaultKind.Forbidden, $"{Capital(Who(caller))} is for some models only, and cannot list all. Ask by "
            + $"name: "
            + $"{string.Join(", ", models.Order(StringComparer.Ordinal).Take(20))}.");
    }

    /// <summary>The text for an unknown model lists those that are known: not for who may not know them.</summary>
    public static Fault Discreet(Caller caller, Fault fault) => caller.Models is null
        || fault.Kind != FaultKind.UnknownModel
        ? fault : new(FaultKind.UnknownModel, "Request for unknown model: it is not found, or not in that version.");

    private static string Who(Caller caller) => caller.Key.Length > 0 ? $"the key {caller.Key}" : "the caller";

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private static string Words(Roles roles) => roles == Roles.None ? "none" : string.Join(", ", RoleWords.Of(roles));
}
