using System.Runtime.CompilerServices;

namespace Spillway.Tests.Support;

/// <summary>
/// Tests block threads of the pool that servers of the same process answer on; where two cores begin with two of them,
/// each further one would come only after half a second.
/// </summary>
internal static class Threads
{
    private const int Min = 32;

    [ModuleInitializer]
    internal static void Set()
    {
        ThreadPool.GetMinThreads(out _, out var completion);
        ThreadPool.SetMinThreads(Min, completion);
    }
}
