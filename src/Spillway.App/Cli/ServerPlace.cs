namespace Spillway.App.Cli;

/// <summary>Which server a command talks to, and as whom.</summary>
/// <param name="Address">As http://127.0.0.1:8000.</param>
/// <param name="Key">A key or a token; empty for none.</param>
internal readonly record struct ServerPlace(string Address, string Key)
{
    /// <summary>Never the key.</summary>
    public override string ToString() => Address;
}
