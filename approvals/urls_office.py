"""Addresses of the back office."""

from django.urls import include, path

from approvals.views import clock_acts, extensions, office, owed, province, recusals, site, unveil, weighing

app_name = "office"
urlpatterns = [
    path("", office.work_list, name="list"),
    path("export.csv", office.export, name="export"),
    path("duty/", office.set_duty, name="duty"),
    path("extensions/", extensions.waiting_list, name="extensions"),
    path("extensions/export.csv", extensions.export, name="extensions_export"),
    path("extensions/<int:pk>/", extensions.extension_page, name="extension"),
    path("owed/", owed.owed_list, name="owed"),
    path("owed/export.csv", owed.export, name="owed_export"),
    path("owed/<slug:number>/", owed.owed_case, name="owed_case"),
    path("site/", site.checks, name="site_checks"),
    path("site/export.csv", site.export, name="site_export"),
    path("site/<slug:number>/", site.check_page, name="site_check"),
    path("", include("approvals.urls_revocations")),
    path("<slug:number>/", office.case_page, name="case"),
    path("<slug:number>/unveil/", unveil.unveil, name="unveil"),
    path("<slug:number>/opinion/", office.opinion, name="opinion"),
    path("<slug:number>/sheet/", weighing.sheet, name="sheet"),
    path("<slug:number>/lead/", weighing.lead, name="lead"),
    path("<slug:number>/site/", weighing.site_plan, name="site_plan"),
    path("<slug:number>/countersign/", weighing.countersign, name="countersign"),
    path("<slug:number>/decision/", office.decision, name="decision"),
    path("<slug:number>/completion/", office.completion, name="complete"),
    path("<slug:number>/recusal/", recusals.recusal, name="recusal"),
    path("<slug:number>/procedure/", clock_acts.procedure, name="procedure"),
    path("<slug:number>/procedure/end/", clock_acts.procedure_end, name="procedure_end"),
    path("<slug:number>/extension/", clock_acts.extension, name="extend"),
    path("<slug:number>/province/", province.report, name="province"),
    path("<slug:number>/province/answer/", province.answer, name="province_answer"),
]
