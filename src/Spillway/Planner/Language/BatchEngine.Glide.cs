namespace Spillway.Planner.Language;

/// <content>
/// Steps in which nothing happens but a token for each request that runs: nobody comes in, nobody leaves, nobody is
/// pushed out. Most steps of an hour are such, and a row of them needs no look at any request: each step's context is
/// longer than that of the one before by a token for each request, and blocks of the cache are begun by turns. What the
/// requests have got is written down when one of them is looked at again.
/// </content>
internal sealed partial class BatchEngine
{
    // How many of the requests that run begin a block with a step, by the step's number modulo the tokens of a block.
    private readonly int[] _turns;
    private long _glideChanges = -1;
    private long _glideTo;
    private long _owed;
    private double _glideRest;
    private int _glideRestOf;

    /// <summary>
    /// An instant before which no request can be complete, if none arrives or is cancelled: not before
    /// <see cref="NextAt"/>.
    /// </summary>
    public Instant NothingBefore
    {
        get
        {
            if (!CanGlide())
                return NextAt;
            // Steps of the same requests grow longer with their contexts: none is shorter than the newest. Blocks are
            // free for as many rounds, in each of which every request begins one.
            var newest = Newest();
            var rounds = Math.Min(_free / _running.Count, int.MaxValue);
            var steps = Math.Min(_glideTo - Steps, rounds * _serving.BlockTokens);
            var least = (newest.Ends - newest.Begins).Ticks;
            return steps > 0 && least < long.MaxValue / 4 / steps
                ? newest.Ends + new TimeSpan(least * steps) : NextAt;
        }
    }

    /// <summary>Passes over such steps; false where the next one is none.</summary>
    private bool Glide(Instant until)
    {
        if (!CanGlide())
            return false;
        var (before, running) = (Steps, _running.Count);
        var context = Newest().ContextTokens;
        while (Steps < _glideTo && _inAir.Peek() is var step && step.Ends <= until
            && _turns[Steps % _turns.Length] is var begun && begun <= _free)
        {
            _inAir.Dequeue();
            Steps++;
            var now = step.Ends;
            _ends?.Add(now);
            _free -= begun;
            step.ContextTokens = context += running;
            Begin(step, now, _roofline.Seconds(_glideRest, context));
        }

        _owed += Steps - before;
        CachePeak = Math.Max(CachePeak, CacheUsed);
        return Steps > before;
    }

    /// <summary>Whether the next step is such a one, as far as the cache allows.</summary>
    private bool CanGlide()
    {
        if (_serving.PipelineParallel > 1 || _inAir.Count < _depth || _running.Count == 0 || MayAdmit())
            return false;
        if (_glideChanges == _changes)
            return Steps < _glideTo;
        foreach (var step in _inAir)
        {
            if (!step.IsPlain || step.Changes != _changes)
                return false;
        }

        TakeOff();
        return Steps < _glideTo;
    }

    /// <summary>Whether the next step lets somebody in who waits. What forbids it, forbids it until somebody
    /// leaves.</summary>
    private bool MayAdmit()
    {
        if (_waiting.First is not { Value: var first } || _running.Count >= _serving.SequencesMax)
            return false;
        var left = _serving.BatchedTokensMax - (_serving.ChunkedPrefill ? _running.Count : 0);
        if (left <= 0)
            return false;
        var rest = first.Prompt - first.Computed;
        var tokens = first.Computed + (_serving.ChunkedPrefill ? Math.Min(rest, left) : rest);
        return ((tokens + _serving.BlockTokens - 1) / _serving.BlockTokens) - first.Blocks <= _free;
    }

    /// <summary>How far it goes, and who begins a block when.</summary>
    private void TakeOff()
    {
        Array.Clear(_turns);
        var least = int.MaxValue;
        foreach (var sequence in _running)
        {
            least = Math.Min(least, sequence.Output - sequence.Sampled);
            // A token more needs another block where the present ones are full.
            var room = (_serving.BlockTokens - (sequence.Computed % _serving.BlockTokens)) % _serving.BlockTokens;
            _turns[(Steps + room) % _turns.Length]++;
        }

        (_glideChanges, _glideTo) = (_changes, Steps + least);
        if (_glideRestOf == _running.Count)
            return;
        _glideRestOf = _running.Count;
        var like = StepWork.Decode(_running.Count, 0);
        _glideRest = _roofline.Rest(like, _roofline.Matrices(like));
    }

    /// <summary>Writes down what the requests have got, and looks at each again.</summary>
    private void Land()
    {
        _glideChanges = -1;
        if (_owed == 0)
            return;
        var tokens = (int)_owed;
        _owed = 0;
        foreach (var sequence in _running)
        {
            sequence.Computed += tokens;
            sequence.Sampled += tokens;
            sequence.Emitted += tokens;
            sequence.Blocks = (sequence.Computed + _serving.BlockTokens - 1) / _serving.BlockTokens;
        }
    }

    private EngineStep Newest()
    {
        var newest = _inAir.Peek();
        foreach (var step in _inAir)
            newest = step;
        return newest;
    }
}
