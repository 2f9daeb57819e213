using System.Runtime.CompilerServices;

namespace Spillway.Tests.Support;

/// <summary>
/// Tests leave the cache of whoever runs them alone: a model that says nothing of a cache has none, here and in every
/// child process.
/// </summary>
internal static class NoCache
{
    [ModuleInitializer]
    internal static void Set() => Environment.SetEnvironmentVariable("SPILLWAY_CACHE", "off");
}
