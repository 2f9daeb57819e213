namespace Spillway.Protocols.Admin;

/// <summary>Changes of the server that are written down, or not made; and who was turned away.</summary>
internal static class AuditedChanges
{
    /// <summary>
    /// Writes down that somebody was turned away before a request began, when that is what a fault says.
    /// </summary>
    /// <param name="server">Whose log.</param>
    /// <param name="who">Who asked, where that is known.</param>
    /// <param name="fault">What was answered.</param>
    /// <param name="path">What was asked.</param>
    public static void Denied(this ServerContext server, Caller? who, Fault fault, string? path)
    {
        if (fault.Kind is FaultKind.Forbidden or FaultKind.Unauthenticated)
            server.Audit.Denied(who is { Roles: not Spillway.Roles.None } ? who : null, fault.Kind, path ?? "");
    }

    /// <summary>
    /// Makes a change and writes down who tried it and how it ended. A change that could not be written down is not
    /// made, where that was declared (audit.onFailure).
    /// </summary>
    /// <param name="server">Whose log.</param>
    /// <param name="who">Who asks.</param>
    /// <param name="action">What, as "model.load".</param>
    /// <param name="subject">To what.</param>
    /// <param name="change">Makes it.</param>
    public static async ValueTask<Fault?> AuditedAsync(
        this ServerContext server, Caller who, string action, string subject, Func<ValueTask<Fault?>> change)
    {
        if (server.Audit.Refusal is { } unrecorded)
            return unrecorded;
        var fault = await change().ConfigureAwait(false);
        server.Audit.Administration(who, action, subject, fault?.Kind);
        return fault;
    }

    /// <summary>The same for a change that is made at once.</summary>
    public static Fault? AuditedChange(
        this ServerContext server, Caller who, string action, string subject, Func<Fault?> change)
    {
        if (server.Audit.Refusal is { } unrecorded)
            return unrecorded;
        var fault = change();
        server.Audit.Administration(who, action, subject, fault?.Kind);
        return fault;
    }
}
