using Spillway.Flow;

namespace Spillway.Engine.Guards;

/// <summary>
/// What was resolved for one caller; goes with it. A served name's state changes with each load of its model, so
/// only the newest of each name is kept.
/// </summary>
internal sealed class CallerGuards
{
    private readonly Lock _changing = new();
    private volatile ResolvedGuards[] _known = [];

    public ResolvedGuards Get(Route route, Caller caller, GuardDesk desk)
    {
        foreach (var guards in _known)
        {
            if (ReferenceEquals(guards.Route, route))
                return guards;
        }

        lock (_changing)
        {
            var made = desk.Make(caller, route);
            _known = [.. _known.Where(g => g.Route.Model != route.Model), made];
            return made;
        }
    }
}
