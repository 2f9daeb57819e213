namespace Spillway.Engine;

/// <content>Ending many requests at once, for a kill switch.</content>
public sealed partial class Deployment
{
    /// <summary>Cancels every request of some kind that it holds; how many that were.</summary>
    public int CancelWhere(Func<Work, bool> concerns, Fault fault)
    {
        List<Work> found = [];
        lock (_lock)
        {
            foreach (var work in _bySlot)
            {
                if (work is null || work.Gone || !concerns(work))
                    continue;
                // Held, so that it is not another request by the time it is cancelled.
                work.Hold();
                found.Add(work);
            }
        }

        foreach (var work in found)
        {
            Cancel(work, fault);
            work.Release();
        }

        return found.Count;
    }
}
