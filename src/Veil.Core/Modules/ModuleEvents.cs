// SPDX-License-Identifier: GPL-3.0-only
using Veil.Bpf;
using Veil.Core.Events;

namespace Veil.Core.Modules;

/// <summary>The kinds of event that modules emit.</summary>
public static class ModuleEvents
{
    /// <summary>Reads the events of modules from their objects; needs no privilege and loads nothing.</summary>
    /// <param name="modules">The modules, in the order of their numbers.</param>
    /// <param name="arguments">The flags of modules.</param>
    public static EventCatalog Read(IReadOnlyList<TraceModule> modules, ModuleArguments arguments) => Read(modules, _ => arguments);

    /// <summary>The same, where each module has flags of its own.</summary>
    /// <param name="modules">The modules, in the order of their numbers.</param>
    /// <param name="arguments">The flags of a module.</param>
    /// <param name="origin">The fields of <c>struct veil_origin</c> that are shown, or none.</param>
    public static EventCatalog Read(
        IReadOnlyList<TraceModule> modules, Func<TraceModule, ModuleArguments> arguments, IReadOnlySet<string>? origin = null)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        var catalog = new EventCatalog(origin);
        for (int number = 0; number < modules.Count; number++)
        {
            using var bpfObject = BpfObject.Open(modules[number].ReadObject(), modules[number].Name);
            var chosen = modules[number].ChosenEvent(arguments(modules[number]));
            foreach (var (kind, name) in EventCatalog.Declared(bpfObject.Btf))
            {
                if (modules[number].Emits(name, chosen))
                    catalog.Add(bpfObject.Btf, modules[number], number, kind);
            }
        }

        return catalog;
    }

    /// <summary>The filters in userspace, by <see cref="EventSchema.Index"/>.</summary>
    /// <param name="modules">The modules, in the order of their numbers.</param>
    /// <param name="events">Their events.</param>
    public static EventFilter?[] Filters(IEnumerable<TraceModule> modules, EventCatalog events)
    {
        var filters = new EventFilter?[events.Schemas.Count];
        foreach (var (number, module) in modules.Index())
        {
            foreach (var schema in events.SchemasOf(number))
                filters[schema.Index] = module.CreateFilter(schema);
        }

        return filters;
    }
}
