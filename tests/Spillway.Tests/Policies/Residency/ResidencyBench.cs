using Spillway.Policies.Residency;

namespace Spillway.Tests.Policies.Residency;

/// <summary>
/// A caller of the policy on a clock of its own: loads and unloads take time, requests run or wait or give up. The
/// budget
/// is held against an independent count after every event.
/// </summary>
internal sealed class ResidencyBench(ResidencyOptions options, long budget, int loadsMax = 1)
{
    private readonly PriorityQueue<Action, (long Ticks, long Sequence)> _events = new();
    private readonly List<Model> _models = [];
    private long _sequence;
    private Instant _poke = Instant.Never;

    public ResidencyPolicy Policy { get; } = new(options, budget, loadsMax);

    public Instant Now { get; private set; }

    public int Hits { get; private set; }

    public int Answered { get; private set; }

    public int GaveUp { get; private set; }

    public Dictionary<ResidencyReason, int> Refused { get; } = [];

    public List<ResidencyStep> Steps { get; } = [];

    /// <summary>The most bytes ever held at once, by its own count.</summary>
    public long MostHeld { get; private set; }

    private long Held => _models.Sum(m => m.Held);

    /// <summary>Adds a model.</summary>
    public int Add(long bytes, double loadMs, long? measured = null, bool pinned = false, Func<bool>? fails = null)
    {
        var number = Policy.Add(bytes, pinned);
        _models.Add(new()
        {
            Bytes = bytes, Measured = measured ?? bytes, LoadMs = loadMs, Fails = fails ?? (() => false),
        });
        return number;
    }

    public void At(double ms, Action happens) =>
        _events.Enqueue(happens, ((long)(ms * TimeSpan.TicksPerMillisecond), _sequence++));

    /// <summary>A request arrives at an instant.</summary>
    public void Arrive(double ms, int model, double runMs = 1, double patienceMs = 1e9) =>
        At(ms, () => Admit(model, runMs, Now + TimeSpan.FromMilliseconds(patienceMs)));

    public void Run()
    {
        while (_events.TryDequeue(out var happens, out var due))
        {
            Now = new(due.Ticks);
            happens();
            CarryOut();
            MostHeld = Math.Max(MostHeld, Held);
            Assert.Equal(Held, Policy.Used);
            Assert.Equal(_models.Sum(m => m.Waiting.Count), Policy.Waiters);
        }
    }

    private double NowMs => Now.Ticks / (double)TimeSpan.TicksPerMillisecond;

    private void Admit(int model, double runMs, Instant deadline)
    {
        var decision = Policy.Want(model, Now, deadline);
        switch (decision.Answer)
        {
            case ResidencyAnswer.Go:
                Hits++;
                Begin(model, runMs);
                break;
            case ResidencyAnswer.Wait:
                var waiter = new Waiter(runMs);
                _models[model].Waiting.Add(waiter);
                if (deadline - Now < TimeSpan.FromDays(1))
                    At(deadline.Ticks / (double)TimeSpan.TicksPerMillisecond, () => Leave(model, waiter));
                break;
            case ResidencyAnswer.Refuse:
                CountRefused(decision.Reason, 1);
                break;
        }
    }

    /// <summary>An operator takes it away.</summary>
    public void Leave(int model)
    {
        if (Policy.Leave(model))
            Unload(model);
    }

    private void Begin(int number, double runMs)
    {
        var model = _models[number];
        model.InFlight++;
        model.UsedAt = Now;
        At(NowMs + runMs, () =>
        {
            model.InFlight--;
            Answered++;
            if (model is { InFlight: 0, Leaves: true })
                Gone(number);
        });
    }

    /// <summary>It answers whom it has; then its bytes are free, a moment later.</summary>
    private void Unload(int number)
    {
        _models[number].Leaves = true;
        if (_models[number].InFlight == 0)
            Gone(number);
    }

    private void Gone(int number)
    {
        _models[number].Leaves = false;
        At(NowMs + 1, () =>
        {
            _models[number].Held = 0;
            Policy.Unloaded(number);
        });
    }

    private void CountRefused(ResidencyReason why, int count) => Refused[why] = Refused.GetValueOrDefault(why) + count;

    private void Leave(int model, Waiter waiter)
    {
        if (!_models[model].Waiting.Remove(waiter))
            return;
        GaveUp++;
        Policy.GaveUp(model);
    }

    private void CarryOut()
    {
        while (Next(out var step))
        {
            Steps.Add(step);
            var model = _models[step.Model];
            switch (step.Work)
            {
                case ResidencyWork.Load:
                    Assert.Equal(0, model.Held);
                    model.Held = model.Bytes;
                    At(NowMs + model.LoadMs, () => EndLoad(step.Model));
                    break;
                case ResidencyWork.Unload:
                    Unload(step.Model);
                    break;
                case ResidencyWork.Refuse:
                    CountRefused(step.Why, model.Waiting.Count);
                    model.Waiting.Clear();
                    break;
            }
        }

        if (Policy.WakeAt == Instant.Never || Policy.WakeAt == _poke)
            return;
        _poke = Policy.WakeAt;
        At(_poke.Ticks / (double)TimeSpan.TicksPerMillisecond, () => _poke = Instant.Never);
    }

    private bool Next(out ResidencyStep step)
    {
        for (var i = 0; i < _models.Count && Policy.IsShort; i++)
            Policy.Observed(i, _models[i].InFlight > 0, _models[i].UsedAt);
        return Policy.TryNext(Now, out step);
    }

    private void EndLoad(int number)
    {
        var model = _models[number];
        var waiting = model.Waiting.ToArray();
        model.Waiting.Clear();
        if (model.Fails())
        {
            model.Held = 0;
            Policy.LoadFailed(number, Now);
            CountRefused(ResidencyReason.Failed, waiting.Length);
            return;
        }

        // What a load really took is the size that the next one is estimated by.
        model.Held = model.Bytes = model.Measured;
        Policy.Loaded(number, model.Measured, Now);
        foreach (var waiter in waiting)
            Begin(number, waiter.RunMs);
    }

    private sealed class Waiter(double runMs)
    {
        public double RunMs => runMs;
    }

    private sealed class Model
    {
        public required long Bytes { get; set; }

        public required long Measured { get; init; }

        public required double LoadMs { get; init; }

        public required Func<bool> Fails { get; init; }

        public long Held { get; set; }

        public int InFlight { get; set; }

        public Instant UsedAt { get; set; }

        public bool Leaves { get; set; }

        public List<Waiter> Waiting { get; } = [];
    }
}
