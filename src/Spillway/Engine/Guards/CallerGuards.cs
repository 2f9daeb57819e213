namespace Spillway.Engine.Guards;

/// <summary>
/// What was resolved for one caller; goes with it. A served name's state changes with each load of its model, so
/// only the newest of each name is kept.
/// </summary>
internal sealed class CallerGuards
{
    private readonly Lock _changing = new();
    private volatile ResolvedGuards[] _known = [];

    /// <summary>Those that count a request, or one step of it.</summary>
    public ResolvedGuards Get(Work work, GuardDesk desk)
    {
        var (route, asked) = (work.Door.Route, work.Asked.Door.Route.Model.Name);
        foreach (var guards in _known)
        {
            if (ReferenceEquals(guards.Route, route) && guards.Asked == asked)
                return guards;
        }

        lock (_changing)
        {
            var made = desk.Make(work.Caller, route, asked, isStep: work.Whole is not null);
            _known = [.. _known.Where(g => g.Route.Model != route.Model || g.Asked != asked), made];
            return made;
        }
    }
}
