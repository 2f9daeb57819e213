namespace Spillway.App.Load;

/// <summary>
/// A load run that cannot start or go on, in words for the person who typed the command. Thrown anywhere in the
/// room, caught at one border: <see cref="LoadCommand"/>.
/// </summary>
internal sealed class LoadException(string message, int exitCode) : Exception(message)
{
    /// <summary>1: the run failed. 2: the command line is wrong.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>The command line contradicts itself, or names what does not exist.</summary>
    public static LoadException Usage(string message) => new(message, ExitCodes.WrongUsage);

    /// <summary>The command line is fine, the world is not.</summary>
    public static LoadException Failed(string message) => new(message, ExitCodes.Failed);
}

/// <summary>What the process returns.</summary>
internal static class ExitCodes
{
    public const int Fine = 0;
    public const int Failed = 1;
    public const int WrongUsage = 2;
    /// <summary>A comparison found a regression.</summary>
    public const int Regressed = 3;

    public const int Interrupted = 130;
}
