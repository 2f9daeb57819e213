using System.Globalization;

namespace Spillway.Planner.Language;

/// <summary>
/// A continuous-batching engine on virtual time, step by step, with the rules of vLLM's scheduler: requests that run
/// come first, each with a token or a piece of its prompt; then the ones that wait, in their order, as far as the
/// step's tokens, the number of requests and the cache allow; who finds no room in the cache pushes out the youngest,
/// which is computed anew. Deterministic; one thread; no clock.
/// </summary>
/// <remarks>
/// vllm-project/vllm, vllm/v1/core/sched/scheduler.py. With asynchronous scheduling the next step is composed when the
/// one before it begins, so who arrives waits for the rest of one step, then for another one. With pipeline stages as
/// many steps as stages are in the air and a request is in one of them. Steps in which nothing happens but a token for
/// each request are passed over in BatchEngine.Glide.cs, to the same tick.
/// This file is long because admission, memory and steps share one state.
/// </remarks>
internal sealed partial class BatchEngine
{
    private readonly Roofline _roofline;
    private readonly LanguageServing _serving;
    private readonly List<LanguageRequest> _requests = [];
    private readonly List<LanguageTimes> _times = [];
    private readonly List<Sequence?> _sequences = [];
    private readonly Stack<int> _forgotten = new();
    private readonly LinkedList<Sequence> _waiting = new();
    private readonly List<Sequence> _running = [];
    private readonly Queue<EngineStep> _inAir = new();
    private readonly Stack<EngineStep> _spare = new();
    private readonly List<int> _finished = [];
    private readonly int _depth;
    private readonly int _stages;
    private readonly long _blocks;
    private long _free;
    private readonly List<Instant>? _ends;
    private Instant _stageFreeAt = new(long.MinValue);
    private Instant _lastEnd = new(long.MinValue);
    private long _changes;

    /// <summary>Idle.</summary>
    /// <param name="roofline">How long a step takes.</param>
    /// <param name="serving">The scheduler's limits.</param>
    /// <param name="memory">How many tokens fit.</param>
    /// <param name="ends">Takes the end of each step; null where nobody wants them.</param>
    public BatchEngine(Roofline roofline, LanguageServing serving, KvMemory memory, List<Instant>? ends = null)
    {
        _ends = ends;
        (_roofline, _serving, _blocks, _free) = (roofline, serving, memory.Blocks, memory.Blocks);
        _stages = serving.PipelineParallel;
        _depth = serving.PipelineParallel > 1 ? serving.PipelineParallel : 1 + serving.ScheduleAhead;
        _turns = new int[serving.BlockTokens];
    }

    /// <summary>When the next step ends: call <see cref="Step"/> then. Never when it is idle.</summary>
    public Instant NextAt => _inAir.TryPeek(out var step) ? step.Ends : Instant.Never;

    /// <summary>Requests that hold a place in steps.</summary>
    public int Running => _running.Count;

    /// <summary>Requests that wait.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>Steps that ended.</summary>
    public long Steps { get; private set; }

    /// <summary>How often a request lost its place in the cache.</summary>
    public long Preemptions { get; private set; }

    /// <summary>The time in which a step ran, the first stage's.</summary>
    public TimeSpan Busy { get; private set; }

    /// <summary>Tokens of prompts that steps computed, anew after a preemption too.</summary>
    public long PromptTokens { get; private set; }

    /// <summary>Tokens of answers that steps computed, each answer's first one left out.</summary>
    public long AnswerTokens { get; private set; }

    /// <summary>The largest part of the cache that was used, 0 to 1.</summary>
    public double CachePeak { get; private set; }

    /// <summary>The part of the cache that is used, 0 to 1.</summary>
    public double CacheUsed => 1 - ((double)_free / _blocks);

    /// <summary>Every request that was taken and not forgotten, by its number.</summary>
    public IReadOnlyList<LanguageRequest> Requests => _requests;

    /// <summary>What happened to each, by its number.</summary>
    public IReadOnlyList<LanguageTimes> Times => _times;

    /// <summary>
    /// A request arrives; its number, or a fault where it can never fit. An idle engine begins a step at once.
    /// </summary>
    /// <param name="request">Its arrival is the present, and not earlier than what happened before.</param>
    public Outcome<int> Arrive(in LanguageRequest request)
    {
        long longest = _serving.ContextMax > 0
            ? Math.Min(_serving.ContextMax, _blocks * _serving.BlockTokens) : _blocks * _serving.BlockTokens;
        if (request is not { Input: > 0, Output: > 0, Cached: >= 0 } || request.Cached >= request.Input)
            return Fault.Invalid(string.Create(CultureInfo.InvariantCulture,
                $"A request has {request.Input} tokens in, {request.Cached} of them cached, and {request.Output} out. ")
                + "Both must be at least 1, and one token of the prompt must not be cached.");
        if ((long)request.Input + request.Output > longest)
            return Fault.Invalid(string.Create(CultureInfo.InvariantCulture,
                $"A request has {request.Input} tokens in and {request.Output} out; the engine holds {longest}. ")
                + "Use more memory, fewer bits for the cache, or a shorter answer.");
        if (!_forgotten.TryPop(out var id))
        {
            id = _requests.Count;
            _requests.Add(default);
            _times.Add(default);
            _sequences.Add(null);
        }

        var sequence = new Sequence(id, request);
        (_requests[id], _times[id], _sequences[id]) = (request, LanguageTimes.None, sequence);
        _waiting.AddLast(sequence);
        if (_inAir.Count == 0)
            Fill(request.Arrival);
        return id;
    }

    /// <summary>
    /// Its caller left: it waits no longer, and has no part in steps that are composed from now on. What is in the air
    /// is computed for nothing.
    /// </summary>
    /// <param name="id">As <see cref="Arrive"/> gave it; one that is complete stays so.</param>
    public void Cancel(int id)
    {
        if (_sequences[id] is not { } sequence)
            return;
        Land();
        _sequences[id] = null;
        sequence.IsGone = true;
        _changes++;
        if (!_running.Remove(sequence))
            _waiting.Remove(sequence);
        Release(sequence);
    }

    /// <summary>Nobody asks for it any more: its number is given to another request.</summary>
    /// <param name="id">One that is complete or was cancelled.</param>
    public void Forget(int id)
    {
        if (_sequences[id] is not null)
            throw new InvalidOperationException($"Request {id} is still under way.");
        _forgotten.Push(id);
    }

    /// <summary>The oldest step ends at <see cref="NextAt"/>; the next one is composed.</summary>
    /// <returns>The numbers of the requests that are complete with it; valid until the next call.</returns>
    public IReadOnlyList<int> Step()
    {
        Land();
        _finished.Clear();
        var step = _inAir.Dequeue();
        Steps++;
        foreach (var part in step.Parts)
            part.InFlight--;
        foreach (var sequence in step.Samples)
            Emit(sequence, step.Ends);
        var now = step.Ends;
        _ends?.Add(now);
        step.Clear();
        _spare.Push(step);
        Fill(now);
        return _finished;
    }

    /// <summary>
    /// The oldest step ends, and with it as many more as end by then without anything but a token for each request.
    /// </summary>
    /// <param name="until">Not before <see cref="NextAt"/>.</param>
    /// <returns>The numbers of the requests that are complete with it; valid until the next call.</returns>
    public IReadOnlyList<int> Advance(Instant until)
    {
        if (!Glide(until))
            return Step();
        _finished.Clear();
        return _finished;
    }

    /// <summary>Runs until nothing is left to do or the instant has come.</summary>
    public void RunUntil(Instant until)
    {
        while (NextAt <= until && NextAt != Instant.Never)
            Advance(until);
    }

    /// <summary>Plays requests in the order of their arrivals to their ends.</summary>
    /// <param name="requests">By arrival.</param>
    /// <param name="until">Requests that come later, and what would happen later, are left out.</param>
    public Fault? Play(IEnumerable<LanguageRequest> requests, Instant until)
    {
        foreach (var request in requests)
        {
            if (request.Arrival > until)
                break;
            // Steps that end at the very instant of an arrival were composed without it.
            RunUntil(request.Arrival);
            if (Arrive(request).Fault is { } fault)
                return fault;
        }

        RunUntil(until);
        return null;
    }

    private void Emit(Sequence sequence, Instant now)
    {
        if (sequence.IsGone)
            return;
        sequence.Emitted++;
        if (sequence.Emitted == 1)
            _times[sequence.Id] = _times[sequence.Id] with { FirstToken = now };
        if (sequence.Emitted < sequence.Output)
            return;
        _times[sequence.Id] = _times[sequence.Id] with { LastToken = now };
        _sequences[sequence.Id] = null;
        _finished.Add(sequence.Id);
        _running.Remove(sequence);
        _changes++;
        Release(sequence);
    }

    private void Fill(Instant now)
    {
        while (_inAir.Count < _depth && Compose(now) is { } step)
        {
            step.Changes = _changes;
            step.IsPlain = step.Samples.Count == _running.Count && step.Parts.Count == _running.Count
                && !step.HasPrompt;
            Begin(step, now, _roofline.Seconds(step.Work));
        }
    }

    private void Begin(EngineStep step, Instant now, double seconds)
    {
        var whole = TimeSpan.FromTicks(Math.Max(1, (long)(seconds * TimeSpan.TicksPerSecond)));
        var stage = _stages == 1 ? whole : TimeSpan.FromTicks(Math.Max(1, whole.Ticks / _stages));
        step.Begins = now > _stageFreeAt ? now : _stageFreeAt;
        _stageFreeAt = step.Begins + stage;
        // Stages are passed in order: a short step cannot overtake a long one.
        var end = step.Begins + whole;
        _lastEnd = step.Ends = end > _lastEnd ? end : _lastEnd;
        Busy += stage;
        PromptTokens += step.PromptTokens;
        AnswerTokens += step.AnswerTokens;
        _inAir.Enqueue(step);
    }

    private EngineStep? Compose(Instant now)
    {
        var step = _spare.Count > 0 ? _spare.Pop() : new();
        var (left, preemptions) = (_serving.BatchedTokensMax, Preemptions);
        // Without pieces, whole prompts have steps of their own, and go first.
        if (!_serving.ChunkedPrefill)
            Admit(step, left, now);
        if (step.Parts.Count == 0)
            left = Continue(step, left);
        // As in the original, nobody is let in by a step that has just pushed somebody out.
        if (_serving.ChunkedPrefill && Preemptions == preemptions)
            Admit(step, left, now);
        CachePeak = Math.Max(CachePeak, CacheUsed);
        if (step.Parts.Count > 0)
            return step;
        _spare.Push(step);
        return null;
    }

    // Who runs goes on. With stages, each of the steps in the air takes its share of the requests.
    private int Continue(EngineStep step, int left)
    {
        var stages = _serving.PipelineParallel;
        var share = stages > 1 ? (_running.Count + stages - 1) / stages : int.MaxValue;
        for (var at = 0; at < _running.Count && left > 0 && step.Parts.Count < share; at++)
        {
            var sequence = _running[at];
            if (sequence.IsFullyScheduled || (stages > 1 && sequence.InFlight > 0))
                continue;
            var tokens = sequence.IsPrefilling ? Math.Min(sequence.Prompt - sequence.Computed, left) : 1;
            if (!MakeRoom(sequence, tokens))
                break;
            Put(step, sequence, tokens);
            left -= tokens;
        }

        return left;
    }

    private void Admit(EngineStep step, int left, Instant now)
    {
        while (left > 0 && _running.Count < _serving.SequencesMax && _waiting.First is { Value: var sequence })
        {
            var rest = sequence.Prompt - sequence.Computed;
            if (!_serving.ChunkedPrefill && rest > left && step.Parts.Count > 0)
                break;
            var tokens = _serving.ChunkedPrefill ? Math.Min(rest, left) : rest;
            if (!TryHold(sequence, tokens))
                break;
            _waiting.RemoveFirst();
            _running.Add(sequence);
            _changes++;
            if (_times[sequence.Id].Scheduled == Instant.Never)
                _times[sequence.Id] = _times[sequence.Id] with { Scheduled = now };
            Put(step, sequence, tokens);
            left -= tokens;
        }
    }

    private static void Put(EngineStep step, Sequence sequence, int tokens)
    {
        var before = sequence.Computed;
        var isPrompt = sequence.IsPrefilling;
        sequence.Computed += tokens;
        sequence.InFlight++;
        var samples = !sequence.IsPrefilling;
        if (samples)
        {
            sequence.Sampled++;
            step.Samples.Add(sequence);
        }

        step.Parts.Add(sequence);
        step.Count(tokens, before, isPrompt);
    }

    // The youngest goes first; one whose last token is in the air is about to leave by itself.
    private bool MakeRoom(Sequence sequence, int tokens)
    {
        while (!TryHold(sequence, tokens))
        {
            var victim = _running.FindLastIndex(
                other => !other.IsFullyScheduled && (_serving.PipelineParallel == 1 || other.InFlight == 0));
            if (victim < 0)
                return false;
            var pushed = _running[victim];
            _running.RemoveAt(victim);
            _changes++;
            Release(pushed);
            pushed.Preempt();
            _waiting.AddFirst(pushed);
            Preemptions++;
            _times[pushed.Id] = _times[pushed.Id] with { Preemptions = _times[pushed.Id].Preemptions + 1 };
            if (pushed == sequence)
                return false;
        }

        return true;
    }

    private bool TryHold(Sequence sequence, int tokens)
    {
        var tokensThen = sequence.Computed + tokens;
        if (tokensThen <= (long)sequence.Blocks * _serving.BlockTokens)
            return true;
        var needed = ((tokensThen + _serving.BlockTokens - 1) / _serving.BlockTokens) - sequence.Blocks;
        if (needed > _free)
            return false;
        if (needed > 0)
        {
            _free -= needed;
            sequence.Blocks += needed;
        }

        return true;
    }

    private void Release(Sequence sequence)
    {
        _free += sequence.Blocks;
        sequence.Blocks = 0;
    }
}
