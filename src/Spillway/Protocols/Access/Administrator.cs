namespace Spillway.Protocols.Access;

/// <summary>
/// Who changes the server in the present call, for the audit log: set where a request comes in, for those that may
/// change something, and read where the change is made. Flows with the call.
/// </summary>
internal static class Administrator
{
    private static readonly AsyncLocal<Caller?> s_present = new();

    /// <summary>Who; a program on this machine where nobody else is known.</summary>
    public static Caller Present => s_present.Value ?? Caller.Local;

    /// <summary>From here on it is that caller, when the path is not one of those that only ask.</summary>
    public static void Enter(string path, Caller caller)
    {
        if (!ReferenceEquals(caller, Caller.Local) && !path.EndsWith("infer", StringComparison.OrdinalIgnoreCase))
            s_present.Value = caller;
    }
}
